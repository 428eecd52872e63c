module Sortable
  extend ActiveSupport::Concern

  DIRECTIONS = %w[asc desc].freeze
  BOOKING_COLUMNS = { "start" => "starts_on", "end" => "ends_on", "berth" => "berth_id" }.freeze
  MAX_PAGE_SIZE = 100

  included do
    helper_method :sort_direction
  end

  private

  def sort_order
    column = params[:sort].presence || "name"
    Arel.sql("#{column} #{sort_direction}")
  end

  def booking_order
    column = BOOKING_COLUMNS.fetch(params[:sort], "starts_on")
    Arel.sql("#{column} #{sort_direction}")
  end

  def sort_direction
    DIRECTIONS.include?(params[:direction]) ? params[:direction] : "asc"
  end

  def page_size
    (params[:per] || 25).to_i.clamp(1, MAX_PAGE_SIZE)
  end
end
