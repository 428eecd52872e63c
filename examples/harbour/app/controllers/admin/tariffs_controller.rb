module Admin
  class TariffsController < ApplicationController
    def index
      render json: Tariff.order(:name)
    end

    def update
      Tariff.find(params[:id]).update!(params.require(:tariff).permit(:name, :formula))
      redirect_to admin_tariffs_path
    end

    def preview
      calculator = TariffCalculator.new(params[:length], params[:nights])
      render json: { exact: calculator.with_formula(params[:formula]), flat: calculator.at_rate(params[:rate]) }
    end
  end
end
