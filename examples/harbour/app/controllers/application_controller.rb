class ApplicationController < ActionController::Base
  before_action :require_login

  helper_method :current_user

  rescue_from ActiveRecord::RecordNotFound, with: :not_found

  private

  def current_user
    return @current_user if defined?(@current_user)

    @current_user = User.find_by(id: session[:user_id])
  end

  def require_login
    redirect_to login_path, alert: "Please sign in." unless current_user
  end

  def require_harbour_master
    head :forbidden unless current_user.harbour_master?
  end

  def return_to_or(default)
    redirect_to params[:return_to].presence || default, allow_other_host: true
  end

  def not_found
    render plain: "Not found", status: :not_found
  end
end
