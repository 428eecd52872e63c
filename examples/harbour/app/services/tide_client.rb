require "net/http"

class TideClient
  BASE = "https://tides.harbour.example/v1/stations".freeze

  def today(station)
    uri = URI("#{BASE}/#{CGI.escape(station.to_s)}/today")
    http = Net::HTTP.new(uri.host, uri.port)
    http.use_ssl = true
    http.verify_mode = OpenSSL::SSL::VERIFY_PEER
    JSON.parse(http.get(uri.request_uri).body)
  end
end
