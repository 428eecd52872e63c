Rails.application.config.middleware.insert_before 0, Rack::Cors do
  allow do
    origins { |source, _env| source.present? }
    resource "/api/bookings/*", headers: :any, methods: %i[get post patch], credentials: true
  end

  allow do
    origins "https://www.harbour.example", "https://chandlery.example"
    resource "/api/berths/*", headers: :any, methods: [:get], credentials: true
  end
end
