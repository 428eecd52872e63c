class BookingMailer < ApplicationMailer
  def confirmation
    @booking = params[:booking]
    @welcome = ERB.new(@booking.berth.welcome_text.to_s).result(binding)
    @greeting = "Welcome aboard, %{name}" % { name: @booking.user.name }
    mail(to: @booking.user.email, subject: "Your berth is booked")
  end
end
