module Api
  class BookingsController < BaseController
    def index
      per = [params.fetch(:limit, 50).to_i, 200].min
      render json: current_user.bookings.limit(per)
    end

    def update
      booking = current_user.bookings.find(params[:id])
      event = params[:event]
      return head(:unprocessable_entity) unless Booking::EVENTS.include?(event)

      booking.public_send(event)
      render json: { status: booking.status, pass: GatePass.new(booking).legacy_code }
    end

    def manifest
      import = ManifestImport.new(request.body.read)
      crew = params[:version] == "1" ? import.legacy_crew : import.crew
      render json: { crew: crew, vessel: import.vessel_named(params[:vessel]), ports: import.ports }
    end
  end
end
