module Api
  class BaseController < ActionController::API
    include ActionController::HttpAuthentication::Token::ControllerMethods

    before_action :authenticate

    private

    attr_reader :current_user

    def authenticate
      @current_user = authenticate_with_http_token { |token, _options| user_of(token) }
      head :unauthorized unless @current_user
    end

    def user_of(token)
      claims, = JWT.decode(token, ENV.fetch("API_TOKEN_KEY"), true, algorithm: "HS256")
      User.find_by(id: claims["sub"])
    rescue JWT::DecodeError
      nil
    end
  end
end
