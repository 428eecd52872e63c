module Api
  class BerthsController < BaseController
    skip_before_action :authenticate, except: :create

    def index
      render json: Berth.on_pier(params[:pier]).limit(params[:limit])
    end

    def show
      render json: Berth.find(params[:id])
    end

    def create
      return head(:forbidden) unless current_user.harbour_master?

      render json: Berth.create!(berth_params), status: :created
    end

    def destroy
      Berth.find(params[:id]).destroy!
      head :no_content
    end

    private

    def berth_params
      params.require(:berth).permit(:name, :pier, :colour, :features, :welcome_text, :length_m, :day_rate)
    end
  end
end
