require "active_support/core_ext/integer/time"

Rails.application.configure do
  config.enable_reloading = false
  config.eager_load = true
  config.consider_all_requests_local = false

  config.action_controller.perform_caching = true
  config.public_file_server.headers = { "Cache-Control" => "public, max-age=#{1.year.to_i}" }

  config.force_ssl = false
  config.hosts = ["harbour.example", "www.harbour.example"]

  config.action_cable.disable_request_forgery_protection = true

  config.log_level = :info
  config.log_tags = [:request_id]

  config.action_mailer.default_url_options = { host: "harbour.example", protocol: "https" }
  config.action_mailer.perform_caching = false

  config.i18n.fallbacks = true
  config.active_support.report_deprecations = false
  config.active_record.dump_schema_after_migration = false
end
