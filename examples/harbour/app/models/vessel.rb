class Vessel < ApplicationRecord
  belongs_to :user
  has_many :bookings, dependent: :restrict_with_error
  has_many :documents, dependent: :destroy

  validates :name, presence: true, length: { maximum: 80 }
  validates :registration, format: { with: /\A[A-Z]{2,3}-?\d{3,6}\z/ }, allow_blank: true
  validates :website, format: { with: /^https?:\/\//, multiline: true }, allow_blank: true
  validates :club_page, format: { with: /\Ahttps:\/\/[a-z0-9.-]+\//i }, allow_blank: true
end
