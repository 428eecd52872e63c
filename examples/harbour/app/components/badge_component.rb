class BadgeComponent < ViewComponent::Base
  TONES = { "cancelled" => "red", "confirmed" => "green" }.freeze

  def initialize(label:, hint:, status:)
    @label = label
    @hint = hint
    @tone = TONES.fetch(status, "grey")
  end
end
