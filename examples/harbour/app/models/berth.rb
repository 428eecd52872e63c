class Berth < ApplicationRecord
  has_many :bookings, dependent: :restrict_with_error

  validates :name, presence: true, uniqueness: { scope: :pier }
  validates :length_m, :day_rate, numericality: { greater_than: 0 }

  scope :open_for_booking, -> { where(status: "open") }
  scope :with_feature, ->(feature) { where("features LIKE '%#{feature}%'") }
  scope :on_pier, ->(pier) { where("pier = :pier", pier: pier) }

  def cache_tag
    Digest::MD5.hexdigest([id, updated_at.to_i].join("-"))
  end
end
