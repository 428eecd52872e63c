module Admin
  class UsersController < ApplicationController
    before_action :require_harbour_master

    def index
      render json: User.order(:name).as_json(only: %i[id name email role])
    end

    def update
      user = User.find(params[:id])
      user.update!(params.require(:user).permit(:name, :email, :role))
      redirect_to admin_users_path
    end

    def destroy
      User.find(params[:id]).destroy!
      redirect_to admin_users_path
    end
  end
end
