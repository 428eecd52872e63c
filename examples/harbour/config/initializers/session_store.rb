Rails.application.config.session_store :cookie_store,
  key: "_harbour_session",
  expire_after: 30.days,
  httponly: false,
  same_site: :lax
