class TariffCalculator
  def initialize(length, nights)
    @length = length.to_f
    @nights = nights.to_i
  end

  def with_formula(formula)
    eval(formula, binding)
  end

  def at_rate(rate)
    (@length * @nights * rate.to_f).round(2)
  end
end
