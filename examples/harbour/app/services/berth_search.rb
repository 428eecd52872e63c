class BerthSearch
  def initialize(filters)
    @term = filters[:q]
    @pier = filters[:pier]
    @length = filters[:length]
    @feature = filters[:feature]
  end

  def results
    scope = Berth.open_for_booking
    scope = scope.where("name ILIKE '%#{@term}%'") if @term.present?
    scope = scope.where("pier = ?", @pier) if @pier.present?
    scope = scope.where("length_m >= #{@length.to_f}") if @length.present?
    scope = scope.with_feature(@feature) if @feature.present?
    scope
  end
end
