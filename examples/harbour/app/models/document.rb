class Document < ApplicationRecord
  STORE = Rails.root.join("storage/documents")

  belongs_to :user
  belongs_to :vessel

  validates :title, presence: true

  def stored_path
    STORE.join(File.basename(filename))
  end
end
