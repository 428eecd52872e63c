class VesselsController < ApplicationController
  before_action :set_vessel, only: %i[show update]

  def show
    @tone = params[:tone]
  end

  def create
    vessel = current_user.vessels.create!(vessel_params)
    redirect_to vessel
  end

  def update
    @vessel.update!(params.require(:vessel).permit!)
    redirect_to @vessel
  end

  private

  def set_vessel
    @vessel = current_user.vessels.find(params[:id])
  end

  def vessel_params
    params.require(:vessel).permit(:name, :registration, :website, :club_page, :length_m)
  end
end
