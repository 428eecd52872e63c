class Tariff < ApplicationRecord
  validates :name, :formula, presence: true
end
