require "open3"

class InvoicePrinter
  def initialize(invoice, title:)
    @invoice = invoice
    @title = title
  end

  def print
    target = Rails.root.join("tmp", "invoice-#{@invoice.id}.pdf").to_s
    system("wkhtmltopdf --title '#{@title}' http://localhost:3000/invoices/#{@invoice.id} #{target}")
    target
  end

  def label
    png, _status = Open3.capture2("qrencode", "--output=-", "--", @title.to_s)
    png
  end
end
