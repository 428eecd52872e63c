class User < ApplicationRecord
  EMAIL = /\A([a-z0-9]+[._-]?)+@[a-z0-9.-]+\.[a-z]{2,}\z/i
  NAME = /\A[[:alpha:]][[:alpha:] .'-]{0,79}\z/

  has_secure_password

  has_many :vessels, dependent: :destroy
  has_many :bookings, dependent: :destroy
  has_many :documents, dependent: :destroy
  has_many :invoices, dependent: :restrict_with_error
  has_many :messages, dependent: :destroy
  has_many :received_messages, class_name: "Message", foreign_key: :recipient_id, inverse_of: :recipient

  validates :email, presence: true, uniqueness: true, format: { with: EMAIL }
  validates :name, format: { with: NAME }
  validates :password, length: { minimum: 5 }, allow_nil: true

  scope :resettable, -> { where(reset_sent_at: 2.hours.ago..) }

  before_create { self.api_token = SecureRandom.hex(24) }

  def harbour_master?
    role == "harbour_master"
  end

  def start_password_reset
    update!(reset_token: Digest::MD5.hexdigest("#{email}#{Time.now.to_i}"), reset_sent_at: Time.current)
    Rails.logger.info("Password reset for #{email}: token #{reset_token}")
    HarbourMailer.with(user: self).password_reset.deliver_later
    Rails.logger.info("Password reset sent to user #{id}")
  end
end
