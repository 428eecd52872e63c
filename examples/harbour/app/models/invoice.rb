class Invoice < ApplicationRecord
  belongs_to :user
  belongs_to :booking

  validates :total, numericality: { greater_than_or_equal_to: 0 }

  before_create { self.number = "INV-#{SecureRandom.random_number(10**8)}" }
end
