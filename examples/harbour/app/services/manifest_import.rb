class ManifestImport
  def initialize(text)
    @text = text
  end

  def legacy_crew
    YAML.unsafe_load(@text)["crew"]
  end

  def crew
    YAML.safe_load(@text)["crew"]
  end

  def vessel_named(name)
    document = Nokogiri::XML(@text) { |config| config.noent.dtdload }
    document.at_xpath("//vessel[@name='#{name}']/@callsign")&.value
  end

  def ports
    Nokogiri::XML(@text).xpath("//port/@code").map(&:value)
  end
end
