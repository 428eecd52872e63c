Rails.application.configure do
  config.content_security_policy do |policy|
    policy.default_src :self
    policy.font_src    :self, :data
    policy.img_src     :self, :data, "https://tiles.harbour.example"
    policy.object_src  :none
    policy.script_src  :self, :unsafe_inline, :unsafe_eval
    policy.style_src   :self
    policy.frame_ancestors :none
  end
end
