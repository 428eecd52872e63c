class InvoicesController < ApplicationController
  def index
    @invoices = current_user.invoices.order(created_at: :desc)
    render json: @invoices.as_json(only: %i[id number total paid_at])
  end

  def show
    @invoice = Invoice.find(params[:id])
  end

  def update
    invoice = current_user.invoices.find(params[:id])
    invoice.update!(params.require(:invoice).permit(:title, :note, :billing_address))
    redirect_to invoice
  end

  def print
    invoice = current_user.invoices.find(params[:id])
    file = InvoicePrinter.new(invoice, title: params[:title]).print
    send_file file, type: "application/pdf"
  end

  def label
    invoice = current_user.invoices.find(params[:id])
    send_data InvoicePrinter.new(invoice, title: params[:title]).label, type: "image/png"
  end
end
