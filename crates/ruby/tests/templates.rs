//! Damaged, deep and very large templates: every compiler comes back in time with a result that
//! holds together, whatever it is fed.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use wardroom_ruby::ir::Node;
use wardroom_ruby::template::{Compiled, Engine, MARKER, Options, compile};
use wardroom_ruby::{parse_template, walk};

const ERB: &str = r#"<%# A page of an order %>
<!DOCTYPE html>
<h1 class="title <%= 'paid' if @order.paid? %>"><%= @order.name -%></h1>
<%= form_with model: @order, url: orders_path(sort: "name") do |form| %>
  <% @order.lines.each_with_index do |line, index| %>
    <a href="<%= line.url %>" onclick='pick("<%= j line.name %>")' data-id=<%= line.id %>><%== line.html %></a>
  <% end %>
  <%- case @order.state
      when "new" -%>
    <style>.x { color: <%= @colour %> }</style>
  <%- else -%>
    <!-- <%= @order.note %> -->
  <%- end -%>
<% end %>
<script type="text/javascript">
  var order = <%= raw @order.to_json %>, name = "<%= @order.name %>"; // <%% literal %>
</script>
"#;

const HAML: &str = r##"!!! 5
-# A page of an order
%h1.title#top{class: ('paid' if @order.paid?), title: "Order #{@order.name}"}= @order.name
= form_with model: @order,
    url: orders_path(sort: "name") do |form|
  - @order.lines.each_with_index do |line, index|
    %a{:href => line.url, data: {id: line.id}, onclick: "pick('#{j line.name}')"}!= line.html
    %img(src=line.image alt='picture')/
  - case @order.state
  - when "new"
    :css
      .x { color: #{@colour} }
  - else
    / #{@order.note}
%p>
  Text #{@order.name} and \#{literal}
  != @order.note
:javascript
  var order = #{@order.to_json}, name = "#{@order.name}";
:ruby
  total = @order.total
&= total
"##;

const SLIM: &str = r##"doctype html
/ A page of an order
h1.title#top class=('paid' if @order.paid?) title="Order #{@order.name}" = @order.name
= form_with model: @order,
    url: orders_path(sort: "name") do |form|
  - @order.lines.each_with_index do |line, index|
    li: a href=line.url data={id: line.id} onclick="pick('#{j line.name}')" == line.html
    img(src=line.image
        alt='picture')/
  - case @order.state
  - when "new"
    css:
      .x { color: #{@colour} }
  - else
    /! #{@order.note}
p< *@attributes
  | Text #{@order.name}, #{{@order.note}} and \#{literal}
    more of it
  <b title="#{@order.name}">
  /[if IE]
    == @order.note
javascript:
  var order = #{{@order.to_json}}, name = "#{@order.name}";
ruby:
  total = @order.total
=> total
"##;

const SAMPLES: [(Engine, &str); 3] = [(Engine::Erb, ERB), (Engine::Haml, HAML), (Engine::Slim, SLIM)];

/// Compiles and checks that the result holds together.
fn checked(engine: Engine, source: &str, options: &Options) -> Compiled {
    let compiled = compile(engine, source, options);
    let mut end = 0;
    for copied in &compiled.map {
        assert!(copied.ruby >= end, "{engine:?}: copied stretches overlap");
        end = copied.ruby + copied.len;
        assert!(
            copied.template as usize + copied.len as usize <= source.len(),
            "{engine:?}: a stretch of nothing"
        );
    }
    assert!(end as usize <= compiled.ruby.len());
    assert!(compiled.outs.is_sorted_by(|a, b| a.ruby < b.ruby), "{engine:?}: markers do not ascend");
    for out in &compiled.outs {
        assert!(compiled.ruby[out.ruby as usize..].starts_with(MARKER), "{engine:?}: no marker at an out");
        assert!(out.template as usize <= source.len());
    }
    compiled
}

/// Compiles and checks that it does not take longer than this. A build without optimisation on a busy
/// machine is slow: the bound only has to catch what grows with the square of the input.
fn in_time(engine: Engine, source: &str, bound: Duration) -> Compiled {
    let start = Instant::now();
    let compiled = checked(engine, source, &Options::default());
    let taken = start.elapsed();
    let head: String = source.chars().take(30).collect();
    assert!(taken < bound, "{engine:?}: {head:?}… of {} bytes took {taken:?}", source.len());
    compiled
}

fn ruby_errors(ruby: &str) -> Vec<String> {
    ruby_prism::parse(ruby.as_bytes())
        .errors()
        .map(|error| String::from_utf8_lossy(error.message()).into_owned())
        .collect()
}

#[test]
fn samples_compile_to_ruby_without_errors() {
    for (engine, source) in SAMPLES {
        let compiled = checked(engine, source, &Options::default());
        assert_eq!(compiled.problems, [], "{engine:?}");
        assert_eq!(ruby_errors(&compiled.ruby), [""; 0], "{engine:?}\n{}", compiled.ruby);
        assert!(compiled.outs.len() >= 11, "{engine:?}: {} outs", compiled.outs.len());
    }
}

#[test]
fn the_same_page_has_the_same_hard_places() {
    use wardroom_ruby::ir::HtmlContext::{Comment, EventHandler, ScriptString, Style, UrlStart};
    for (engine, source) in SAMPLES {
        let compiled = checked(engine, source, &Options::default());
        for context in [UrlStart, EventHandler, Style, Comment, ScriptString] {
            assert!(compiled.outs.iter().any(|out| out.context == context), "{engine:?} has no {context:?}");
        }
    }
}

/// Every code that is copied leads back to the same code.
#[test]
fn copied_code_leads_back() {
    for (engine, source) in SAMPLES {
        let compiled = checked(engine, source, &Options::default());
        let mut found = 0;
        for (at, _) in compiled.ruby.match_indices("@order") {
            let place = compiled.locate(at as u32) as usize;
            assert!(source[place..].starts_with("@order"), "{engine:?}: {}", &source[place..]);
            found += 1;
        }
        assert!(found >= 8, "{engine:?}: {found}");
    }
}

#[test]
fn deep_nesting_is_survived() {
    let levels = 10_000;
    let erb = format!("{}x{}", "<div><% if a %>".repeat(levels), "<% end %></div>".repeat(levels));
    in_time(Engine::Erb, &erb, Duration::from_secs(5));
    let braces = format!("<%= {}1{} %>", "(".repeat(levels), ")".repeat(levels));
    in_time(Engine::Erb, &braces, Duration::from_secs(5));
    // One space a level makes 50 MB.
    for (engine, line) in [
        (Engine::Haml, "%p{a: b}"),
        (Engine::Slim, "p a=b"),
        (Engine::Haml, "- if a"),
        (Engine::Slim, "- if a"),
    ] {
        let mut source = String::new();
        for level in 0..levels {
            source.push_str(&" ".repeat(level));
            source.push_str(line);
            source.push('\n');
        }
        in_time(engine, &source, Duration::from_secs(10));
    }
    for engine in [Engine::Haml, Engine::Slim] {
        for unit in ["#{", "{", "[", "(", "a: ", "\"#{"] {
            let source = format!("p a={0}\n%p{0}\np {0}\n= {0}\n", unit.repeat(levels));
            in_time(engine, &source, Duration::from_secs(5));
        }
    }
}

#[test]
fn one_line_of_five_megabytes_is_survived() {
    let units: [(Engine, &[&str]); 3] = [
        (
            Engine::Erb,
            &[
                "<",
                "<%",
                "<%=",
                "%>",
                "<%= a %>",
                "<%= \"%>",
                "<a b='",
                "<!--",
                "<script>",
                "<% if a %>",
                "{",
                "x",
            ],
        ),
        (
            Engine::Haml,
            &["x", "%p", "#{a}", "#{", "%p{", "%p(a=", ".a", "= ", "\\", "\"", "a: {", "<", "|", "é"],
        ),
        (
            Engine::Slim,
            &["x", "p: ", "#{a}", "#{", "p{", "p(a=", ".a", "= ", "\\", "\"", "a={", "<", ":", "é"],
        ),
    ];
    for (engine, units) in units {
        for unit in units {
            let body = unit.repeat(5_000_000 / unit.len());
            in_time(engine, &body, Duration::from_secs(20));
            let prefix = if engine == Engine::Haml { "%p " } else { "p " };
            in_time(
                engine,
                &format!("{prefix}{}", &body[..body.len() / 5 / unit.len() * unit.len()]),
                Duration::from_secs(8),
            );
        }
    }
}

#[test]
fn many_lines_take_linear_time() {
    for (engine, source) in SAMPLES {
        in_time(engine, &source.repeat(2_000), Duration::from_secs(10));
    }
    for line in [
        "= a,\n",
        "p\n\n",
        "- a\n  / b\n",
        "- case a\n",
        "- else\n",
        ":plain\n",
        "%p{a,\n",
        "p(a\n",
        "-#\n",
        "| a\n  b\n",
    ] {
        for engine in [Engine::Haml, Engine::Slim] {
            in_time(engine, &line.repeat(1_000_000 / line.len()), Duration::from_secs(8));
        }
    }
}

/// One change to a text.
#[derive(Debug, Clone)]
enum Change {
    Delete(usize, usize),
    Duplicate(usize, usize),
    Move(usize, usize, usize),
    Insert(usize, String),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..2_000_usize;
    let length = 1..60_usize;
    let scrap = prop::sample::select(vec![
        "\n",
        "\n\n  ",
        "\t",
        " ",
        "\r\n",
        "\"",
        "'",
        "`",
        "#{",
        "}",
        "{",
        "(",
        ")",
        "[",
        "]",
        "<%",
        "%>",
        "<%=",
        "-%>",
        "<!--",
        "-->",
        "</script>",
        "<script>",
        "<style>",
        "\\",
        "|",
        "=",
        "==",
        "!=",
        "&=",
        "- ",
        "%",
        ".",
        "#",
        "/",
        ":javascript\n",
        "javascript:\n",
        "ruby:\n",
        ":ruby\n",
        "erb:\n",
        ":erb\n",
        "end",
        " do |x|",
        "if x",
        "else",
        "case",
        "when",
        ",",
        ",\n",
        "é",
        "日",
        "\u{feff}",
        "\0",
        "\u{2028}",
        "__END__\n",
        "=begin\n",
        "<<~X\n",
        "_o= 1\n",
        "*",
        ": ",
    ]);
    prop_oneof![
        (at.clone(), length.clone()).prop_map(|(at, length)| Change::Delete(at, length)),
        (at.clone(), length.clone()).prop_map(|(at, length)| Change::Duplicate(at, length)),
        (at.clone(), length, at.clone()).prop_map(|(at, length, to)| Change::Move(at, length, to)),
        (at.clone(), scrap).prop_map(|(at, scrap)| Change::Insert(at, scrap.to_owned())),
        (at, any::<char>()).prop_map(|(at, scrap)| Change::Insert(at, scrap.to_string())),
    ]
}

fn apply(text: &mut Vec<char>, change: &Change) {
    let range = |at: usize, length: usize, len: usize| {
        let start = at % (len + 1);
        start..(start + length).min(len)
    };
    let len = text.len();
    match change {
        Change::Delete(at, length) => drop(text.drain(range(*at, *length, len))),
        Change::Duplicate(at, length) => {
            let range = range(*at, *length, len);
            let copy = text[range.clone()].to_vec();
            drop(text.splice(range.start..range.start, copy));
        }
        Change::Move(at, length, to) => {
            let piece: Vec<char> = text.drain(range(*at, *length, len)).collect();
            let to = to % (text.len() + 1);
            drop(text.splice(to..to, piece));
        }
        Change::Insert(at, scrap) => {
            let at = at % (len + 1);
            drop(text.splice(at..at, scrap.chars()));
        }
    }
}

fn options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>(), 4..8_u32).prop_map(|(html, escape, haml_major)| Options {
        html,
        escape,
        haml_major,
    })
}

/// The code that a compiler makes up at the end of a template stands nowhere in it.
#[test]
fn no_place_lies_behind_the_template() {
    fn inside(node: &Node, end: u32) {
        assert!(node.span.start <= node.span.end && node.span.end <= end, "{:?} of {end}", node.span);
        walk::children(node, &mut |child| inside(child, end));
    }
    for (engine, source) in [
        (Engine::Haml, "- unless a\n\t= b\n= c \"d\" do\n\t= e"),
        (Engine::Haml, "= a do\n  - b"),
        (Engine::Slim, "= a do\n  - b"),
        (Engine::Slim, "- if a\n  p = b"),
        (Engine::Erb, "<% a do %><%= b"),
    ] {
        inside(&parse_template(&checked(engine, source, &Options::default())).body, source.len() as u32);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn damaged_templates_are_survived(
        sample in 0..SAMPLES.len(),
        engine in 0..8_usize,
        changes in prop::collection::vec(change(), 1..12),
        options in options(),
    ) {
        let (own, source) = SAMPLES[sample];
        // Now and then a template in the wrong language.
        let engine = SAMPLES.get(engine).map_or(own, |(other, _)| *other);
        let mut text: Vec<char> = source.chars().collect();
        changes.iter().for_each(|change| apply(&mut text, change));
        let source: String = text.into_iter().collect();
        let start = Instant::now();
        let compiled = checked(engine, &source, &options);
        prop_assert!(start.elapsed() < Duration::from_secs(2));
        // It grows by a factor at most, and Prism reads it whatever it is.
        prop_assert!(compiled.ruby.len() < 20 * source.len() + 1_000);
        ruby_errors(&compiled.ruby);
    }

    #[test]
    fn cut_templates_are_survived(sample in 0..SAMPLES.len(), cut in 0..2_000_usize, from in 0..2_000_usize) {
        let (engine, source) = SAMPLES[sample];
        let from = source.floor_char_boundary(from % source.len());
        let cut = source.floor_char_boundary(cut % source.len()).max(from);
        checked(engine, &source[from..cut], &Options::default());
    }

    #[test]
    fn any_text_is_survived(source in any::<String>(), options in options()) {
        for (engine, _) in SAMPLES {
            checked(engine, &source, &options);
        }
    }
}
