class PasswordResetsController < ApplicationController
  skip_before_action :require_login

  def create
    user = User.find_by(email: params[:email].to_s.downcase)
    user&.start_password_reset
    redirect_to login_path, notice: "If we know that address, a letter is on its way."
  end

  def update
    user = User.resettable.find_by!(reset_token: params.require(:token))

    if user.update(password_params.merge(reset_token: nil))
      reset_session
      session[:user_id] = user.id
      redirect_to bookings_path
    else
      redirect_to login_path, alert: user.errors.full_messages.to_sentence
    end
  end

  private

  def password_params
    params.require(:user).permit(:password, :password_confirmation)
  end
end
