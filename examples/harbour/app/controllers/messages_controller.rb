class MessagesController < ApplicationController
  skip_before_action :verify_authenticity_token, only: :create

  def index
    @messages = current_user.received_messages.where(archived: false).order(created_at: :desc)
    @term = params[:q]
  end

  def search
    pattern = Regexp.new(params[:pattern])
    literal = Regexp.new(Regexp.escape(params[:text].to_s), Regexp::IGNORECASE)
    found = current_user.received_messages.select { |m| m.subject.match?(pattern) || m.body.match?(literal) }
    render json: found.as_json(only: %i[id subject])
  end

  def create
    recipient = User.find_by!(email: message_params[:to])
    current_user.messages.create!(recipient: recipient, subject: message_params[:subject], body: message_params[:body])
    redirect_to messages_path
  end

  def destroy
    Message.find(params[:id]).destroy!
    redirect_to messages_path
  end

  def archive
    current_user.received_messages.find(params[:id]).update!(archived: true)
    redirect_to messages_path
  end

  private

  def message_params
    params.require(:message).permit(:to, :subject, :body)
  end
end
