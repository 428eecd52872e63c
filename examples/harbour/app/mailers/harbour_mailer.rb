class HarbourMailer < ApplicationMailer
  def booked
    @booking = params[:booking]
    @welcome = ERB.new(@booking.berth.welcome_text.to_s).result(binding)
    @greeting = "Welcome aboard, %{name}" % { name: @booking.user.name }
    mail(to: @booking.user.email, subject: "Your berth is booked")
  end

  def password_reset
    user = params[:user]
    mail(to: user.email, subject: "Your new password", body: "Your code is #{user.reset_token}.")
  end
end
