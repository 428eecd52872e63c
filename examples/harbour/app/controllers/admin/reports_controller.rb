module Admin
  class ReportsController < ApplicationController
    KINDS = { "arrivals" => ArrivalsReport, "departures" => DeparturesReport }.freeze
    GROUPS = %w[berth_id vessel_id status].freeze

    before_action :require_harbour_master

    def index
      report = KINDS.fetch(params[:kind], ArrivalsReport)
      render json: report.new.rows
    end

    def show
      report = params[:id].camelize.constantize
      render json: report.new.rows
    end

    def occupancy
      render json: Booking.group(params[:by]).count
    end

    def income
      group = GROUPS.include?(params[:by]) ? params[:by] : "status"
      render json: Booking.group(group).count
    end
  end
end
