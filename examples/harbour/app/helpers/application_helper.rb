module ApplicationHelper
  def body_theme
    params[:theme].presence || "day"
  end

  def pier_badge(pier)
    "<span class='pier'>#{pier}</span>".html_safe
  end

  def berth_badge(name)
    content_tag(:span, name, class: "berth")
  end

  def sort_link(label, column)
    link_to label, { sort: column, direction: sort_direction == "asc" ? "desc" : "asc" }, class: "sort"
  end
end
