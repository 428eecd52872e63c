require "open-uri"

class DocumentFetcher
  def initialize(url)
    @url = url
  end

  def fetch
    URI.parse(@url).open(read_timeout: 5, &:read)
  end
end
