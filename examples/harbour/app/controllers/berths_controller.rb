class BerthsController < ApplicationController
  include Sortable

  SHEETS = { "card" => "show", "sheet" => "print" }.freeze

  skip_before_action :require_login

  def index
    @berths = BerthSearch.new(params).results.order(sort_order).limit(page_size)
  end

  def show
    @berth = Berth.find(params[:id])
    render params[:view] if params[:view].present?
  end

  def print
    @berth = Berth.find(params[:id])
    render SHEETS.fetch(params[:sheet], "print"), layout: false
  end

  def legend
    render html: "<h2>Pier #{params[:pier]}</h2>".html_safe
  end

  def tides
    render json: TideClient.new.today(params[:station])
  end
end
