class BerthChannel < ApplicationCable::Channel
  def subscribed
    stream_for Berth.find(params[:id])
  end

  def neighbours(data)
    berths = Berth.where("pier = '#{data["pier"]}'").pluck(:name)
    transmit({ berths: berths })
  end

  def occupants(data)
    names = Booking.where(berth_id: data["berth_id"]).joins(:vessel).pluck("vessels.name")
    transmit({ vessels: names })
  end
end
