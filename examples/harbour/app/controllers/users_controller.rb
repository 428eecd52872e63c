class UsersController < ApplicationController
  skip_before_action :require_login, only: :create

  def create
    @user = User.new(sign_up_params)

    if @user.save
      reset_session
      session[:user_id] = @user.id
      redirect_to bookings_path
    else
      render json: { errors: @user.errors.full_messages }, status: :unprocessable_entity
    end
  end

  def update
    current_user.update!(profile_params)
    redirect_to bookings_path, notice: "Your profile is up to date."
  end

  private

  def sign_up_params
    params.require(:user).permit(:name, :email, :password, :password_confirmation, :role)
  end

  def profile_params
    params.require(:user).permit(:name, :email)
  end
end
