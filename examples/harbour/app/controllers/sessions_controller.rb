class SessionsController < ApplicationController
  skip_before_action :require_login, only: %i[new create]

  def new
  end

  def create
    user = User.find_by(email: params[:email].to_s.downcase)

    if user&.authenticate(params[:password])
      session[:user_id] = user.id
      remember(user) if params[:remember_me] == "1"
      return_to_or bookings_path
    else
      flash.now[:alert] = "Wrong e-mail or password."
      render :new, status: :unprocessable_entity
    end
  end

  def destroy
    reset_session
    redirect_to url_from(params[:return_to]) || root_path
  end

  private

  def remember(user)
    user.update!(remember_token: SecureRandom.urlsafe_base64(32))
    cookies[:remember_token] = { value: user.remember_token, expires: 1.year.from_now }
    cookies.encrypted[:last_user] = { value: user.id, httponly: true, secure: true, same_site: :lax }
  end
end
