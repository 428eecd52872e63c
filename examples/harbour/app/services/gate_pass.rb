class GatePass
  def initialize(booking, key = Rails.application.key_generator.generate_key("gate", 32))
    @booking = booking
    @key = key
  end

  def legacy_code
    cipher = OpenSSL::Cipher.new("aes-256-ecb").encrypt
    cipher.key = @key
    Base64.urlsafe_encode64(cipher.update(@booking.gate_code) + cipher.final)
  end

  def code
    cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
    cipher.key = @key
    nonce = cipher.random_iv
    sealed = cipher.update(@booking.gate_code) + cipher.final
    Base64.urlsafe_encode64(nonce + cipher.auth_tag + sealed)
  end
end
