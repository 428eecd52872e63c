class DeparturesReport
  def initialize(day = Date.current)
    @day = day
  end

  def rows
    Booking.includes(:vessel).where(ends_on: @day).map { |booking| { vessel: booking.vessel.name } }
  end
end
