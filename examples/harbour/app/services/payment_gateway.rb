require "net/http"

class PaymentGateway
  HOST = "pay.harbour.example".freeze
  API_KEY = "8c1f7a92d0e54b6fa3c7719e2b40d85f".freeze

  def refund(invoice)
    http = Net::HTTP.new(HOST, 443)
    http.use_ssl = true
    http.verify_mode = OpenSSL::SSL::VERIFY_NONE
    http.post("/refunds", { number: invoice.number, total: invoice.total }.to_json, headers)
  end

  private

  def headers
    { "Authorization" => "Bearer #{API_KEY}", "X-Merchant" => ENV.fetch("PAYMENT_MERCHANT_KEY") }
  end
end
