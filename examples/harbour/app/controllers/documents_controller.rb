class DocumentsController < ApplicationController
  FORMS = Rails.root.join("public/forms")

  def index
    @vessel = current_user.vessels.find(params[:vessel_id])
    @documents = @vessel.documents.order(:title)
  end

  def show
    document = current_user.documents.find(params[:id])
    send_file document.stored_path, disposition: "attachment"
  end

  def form
    send_file FORMS.join(params[:name])
  end

  def create
    vessel = current_user.vessels.find(params[:vessel_id])
    upload = params.require(:file)
    File.binwrite(Document::STORE.join(upload.original_filename), upload.read)
    vessel.documents.create!(user: current_user, title: params[:title], filename: upload.original_filename)
    redirect_to vessel_documents_path(vessel)
  end

  def scan
    vessel = current_user.vessels.find(params[:vessel_id])
    upload = params.require(:file)
    filename = "#{SecureRandom.uuid}.pdf"
    File.binwrite(Document::STORE.join(filename), upload.read)
    vessel.documents.create!(user: current_user, title: params[:title], filename: filename)
    redirect_to vessel_documents_path(vessel)
  end

  def fetch
    text = DocumentFetcher.new(params[:url]).fetch
    render json: { size: text.bytesize }
  end

  def unpack
    archive = ManifestArchive.new(params.require(:archive).path, Document::STORE.join(current_user.id.to_s))
    names = params[:replace] ? archive.replace : archive.add
    render json: { files: names }
  end
end
