class ManifestArchive
  def initialize(path, target)
    @path = path
    @target = target.to_s
  end

  def replace
    Zip::File.open(@path) do |zip|
      zip.map do |entry|
        entry.extract(File.join(@target, entry.name)) { true }
        entry.name
      end
    end
  end

  def add
    Zip::File.open(@path) do |zip|
      zip.filter_map do |entry|
        destination = File.expand_path(entry.name, @target)
        next unless destination.start_with?("#{@target}/")

        entry.extract(destination)
        entry.name
      end
    end
  end
end
