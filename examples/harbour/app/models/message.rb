class Message < ApplicationRecord
  belongs_to :user
  belongs_to :recipient, class_name: "User"

  validates :subject, presence: true, length: { maximum: 120 }
end
