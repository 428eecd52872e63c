class ArrivalsReport
  def initialize(day = Date.current)
    @day = day
  end

  def rows
    Booking.includes(:vessel, :berth).where(starts_on: @day).map do |booking|
      { vessel: booking.vessel.name, berth: booking.berth.name, crew: booking.crew_count }
    end
  end
end
