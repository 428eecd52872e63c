module Api
  class PaymentsController < BaseController
    skip_before_action :authenticate

    def create
      return head(:unauthorized) unless request.headers["X-Signature"] == signature

      Invoice.find_by!(number: params[:invoice]).update!(paid_at: Time.current)
      head :no_content
    end

    def refund
      given = request.headers["X-Signature"].to_s
      return head(:unauthorized) unless ActiveSupport::SecurityUtils.secure_compare(given, signature)

      invoice = Invoice.find_by!(number: params[:invoice])
      PaymentGateway.new.refund(invoice)
      head :no_content
    end

    private

    def signature
      OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("PAYMENT_HOOK_KEY"), request.raw_post)
    end
  end
end
