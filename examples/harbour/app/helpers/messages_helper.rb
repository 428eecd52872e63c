module MessagesHelper
  def marked(text, term)
    return text if term.blank?

    text.gsub(term, "<mark>#{term}</mark>").html_safe
  end

  def quoted(text)
    tag.blockquote { safe_join(text.to_s.lines.map { |line| tag.p(line) }) }
  end
end
