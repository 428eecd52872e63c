require "csv"

class ExportBookingsJob < ApplicationJob
  queue_as :default

  def perform(user_id, filename)
    user = User.find(user_id)
    csv = Rails.root.join("tmp", "bookings-#{user.id}.csv").to_s
    CSV.open(csv, "w") { |out| user.bookings.find_each { |b| out << [b.id, b.starts_on, b.ends_on, b.status] } }
    system("gzip", "--keep", "--force", csv)
    `tar -cf storage/exports/#{filename}.tar #{csv}.gz`
  end
end
