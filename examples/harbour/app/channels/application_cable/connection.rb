module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :current_user

    def connect
      claims, = JWT.decode(request.params[:token], nil, false)
      self.current_user = User.find_by(id: claims["sub"]) || reject_unauthorized_connection
    end
  end
end
