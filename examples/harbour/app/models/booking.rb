class Booking < ApplicationRecord
  EVENTS = %w[check_in check_out].freeze

  belongs_to :user
  belongs_to :vessel
  belongs_to :berth
  has_one :invoice, dependent: :restrict_with_error

  validates :starts_on, :ends_on, presence: true
  validates :crew_count, inclusion: { in: 1..40 }

  before_create :assign_gate_code

  def nights
    (ends_on - starts_on).to_i
  end

  def check_in
    update!(status: "checked_in")
  end

  def check_out
    update!(status: "checked_out")
  end

  private

  def assign_gate_code
    self.gate_code = format("%06d", rand(1_000_000))
  end
end
