class BookingsController < ApplicationController
  include Sortable

  before_action :set_booking, only: %i[show update cancel confirm transition]

  def index
    @bookings = current_user.bookings.includes(:berth, :vessel).order(booking_order)
    @pier = params[:pier]
  end

  def show
  end

  def new
    draft = cookies[:booking_draft] ? Marshal.load(Base64.decode64(cookies[:booking_draft])) : {}
    @booking = Booking.new(berth_id: draft[:berth_id], starts_on: draft[:starts_on])
    @recent = cookies[:recent_berths] ? JSON.parse(cookies[:recent_berths]) : []
  end

  def create
    @booking = current_user.bookings.new(booking_params)

    if @booking.save
      HarbourMailer.with(booking: @booking).booked.deliver_later
      redirect_to @booking
    else
      render :new, status: :unprocessable_entity
    end
  end

  def update
    @booking.update!(booking_params)
    redirect_to @booking
  end

  def receipt
    booking = Booking.find(params[:id])
    render json: { berth: booking.berth.name, nights: booking.nights, pass: GatePass.new(booking).code }
  end

  def cancel
    @booking.update!(status: "cancelled")
    redirect_to bookings_path, notice: "The booking is cancelled."
  end

  def confirm
    @booking.update!(status: "confirmed")
    redirect_to @booking
  end

  def transition
    @booking.public_send(params[:event])
    redirect_to @booking
  end

  def export
    ExportBookingsJob.set(wait: rand(5..30).seconds).perform_later(current_user.id, params[:filename])
    redirect_to bookings_path, notice: "The export will be ready soon."
  end

  private

  def set_booking
    @booking = current_user.bookings.find(params[:id])
  end

  def booking_params
    params.require(:booking).permit(:vessel_id, :berth_id, :starts_on, :ends_on, :crew_count, :note)
  end
end
