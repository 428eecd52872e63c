require "rails/all"

Bundler.require(*Rails.groups)

module Harbour
  class Application < Rails::Application
    config.load_defaults 7.1

    config.time_zone = "Europe/London"
    config.autoload_lib(ignore: %w[assets tasks])

    config.action_dispatch.cookies_serializer = :marshal
  end
end
