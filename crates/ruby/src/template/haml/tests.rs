//! Templates and the Ruby they become.

use proptest::prelude::*;

use super::compile;
use crate::ir::Escape::{self, Always, NotHtml, Raw, UnlessSafe};
use crate::ir::HtmlContext;
use crate::template::{Compiled, MARKER, Options};

fn haml(source: &str) -> Compiled {
    compile(source, &Options::default())
}

fn ruby(source: &str) -> String {
    haml(source).ruby
}

fn escapes(source: &str, options: &Options) -> Vec<Escape> {
    compile(source, options).outs.iter().map(|o| o.escape).collect()
}

fn contexts(source: &str) -> Vec<HtmlContext> {
    haml(source).outs.iter().map(|o| o.context).collect()
}

/// What must hold of any compilation.
fn check(source: &str, compiled: &Compiled) {
    // ERB keeps the length of its markup, not the bytes.
    let erb = source.contains(":erb");
    let mut end = 0;
    for copied in &compiled.map {
        assert!(copied.ruby >= end, "stretches overlap");
        end = copied.ruby + copied.len;
        let ruby = &compiled.ruby.as_bytes()[copied.ruby as usize..end as usize];
        let from = copied.template as usize;
        if !erb {
            assert_eq!(ruby, &source.as_bytes()[from..from + copied.len as usize]);
        }
    }
    let mut last = None;
    for out in &compiled.outs {
        assert!(last < Some(out.ruby), "markers must ascend");
        last = Some(out.ruby);
        assert!(compiled.ruby[out.ruby as usize..].starts_with(MARKER));
        assert!(out.template as usize <= source.len());
    }
}

/// Templates, the Ruby that comes out, and how each output is escaped.
const TABLE: &[(&str, &str, &[Escape])] = &[
    // Output
    ("= title", "_o= title\n", &[UnlessSafe]),
    ("%h1= title", "_o= title\n", &[UnlessSafe]),
    ("!= title", "_o= title\n", &[Raw]),
    ("&= title", "_o= title\n", &[UnlessSafe]),
    ("~ title", "_o= title\n", &[UnlessSafe]),
    ("!~ title", "_o= title\n", &[Raw]),
    ("%p!= title", "_o= title\n", &[Raw]),
    ("%p&= title", "_o= title\n", &[UnlessSafe]),
    ("%p~ title", "_o= title\n", &[UnlessSafe]),
    ("%p<>= title", "_o= title\n", &[UnlessSafe]),
    ("= # nothing", "", &[]),
    // Text
    ("Hi #{name}, #{ other }!", "_o= name\n_o= other\n", &[UnlessSafe, UnlessSafe]),
    ("#{name}", "_o= name\n", &[UnlessSafe]),
    ("%p Hi #{h[:a]}", "_o= h[:a]\n", &[UnlessSafe]),
    ("%p#{name}", "_o= name\n", &[UnlessSafe]),
    ("== Hi #{name}", "_o= name\n", &[UnlessSafe]),
    ("!== Hi #{name}", "_o= name\n", &[Raw]),
    ("&== Hi #{name}", "_o= name\n", &[UnlessSafe]),
    ("! Hi #{name}", "_o= name\n", &[Raw]),
    ("& Hi #{name}", "_o= name\n", &[UnlessSafe]),
    ("%p! Hi #{name}", "_o= name\n", &[Raw]),
    ("%p!== Hi #{name}", "_o= name\n", &[Raw]),
    ("Hi \\#{name} \\\\#{other}", "_o= other\n", &[UnlessSafe]),
    ("Hi #@name #$total #1", "_o= @name\n_o= $total\n", &[UnlessSafe, UnlessSafe]),
    ("#{t(\"a}\", b: {c: 1})} x", "_o= t(\"a}\", b: {c: 1})\n", &[UnlessSafe]),
    ("\\= not code #{name}", "_o= name\n", &[UnlessSafe]),
    ("\\%p", "", &[]),
    ("!!! 5\n%p= a", "_o= a\n", &[UnlessSafe]),
    // Blocks
    ("- x = 1\n= x", "x = 1\n_o= x\n", &[UnlessSafe]),
    (
        "- if a\n  = b\n- elsif c\n  = d\n- else\n  = e\n= f",
        "if a\n_o= b\nelsif c\n_o= d\nelse\n_o= e\nend\n_o= f\n",
        &[UnlessSafe, UnlessSafe, UnlessSafe, UnlessSafe],
    ),
    ("- if a\n  = b\n-# no\n- else\n  c", "if a\n_o= b\nelse\nend\n", &[UnlessSafe]),
    (
        "- case a\n- when 1\n  = b\n- else\n  = c",
        "case a\nwhen 1\n_o= b\nelse\n_o= c\nend\n",
        &[UnlessSafe, UnlessSafe],
    ),
    (
        "- case a\n  - when 1\n    = b\n  - else\n    c\nd",
        "case a\nwhen 1\n_o= b\nelse\nend\n",
        &[UnlessSafe],
    ),
    (
        "- begin\n  = a\n- rescue => e\n  b\n- ensure\n  - c",
        "begin\n_o= a\nrescue => e\nensure\nc\nend\n",
        &[UnlessSafe],
    ),
    (
        "= form_for @a do |f|\n  = f.text_field :b\nc",
        "_o= form_for @a do |f|\n_o= f.text_field :b\nend\n",
        &[UnlessSafe, UnlessSafe],
    ),
    (
        "%ul\n  - as.each do |a|\n    %li= a\n%p= b",
        "as.each do |a|\n_o= a\nend\n_o= b\n",
        &[UnlessSafe, UnlessSafe],
    ),
    ("- as.each { |a|\n  = a", "as.each { |a|\n_o= a\n}\n", &[UnlessSafe]),
    ("- while a do\n  = b", "while a do\n_o= b\nend\n", &[UnlessSafe]),
    ("- x = if a\n  - 1\n= b if c", "x = if a\n1\nend\n_o= b if c\n", &[UnlessSafe]),
    ("- next if a\n- x = y ? 1 : 2", "next if a\nx = y ? 1 : 2\n", &[]),
    ("- as.each do | a |\n  = a", "as.each do | a |\n_o= a\nend\n", &[UnlessSafe]),
    // Haml writes `end` after nested lines, whatever they are nested under: this loop is closed.
    (
        "- as.each do |a|\n- next if a.b\n  = a\n= c",
        "as.each do |a|\nnext if a.b\n_o= a\nend\n_o= c\n",
        &[UnlessSafe, UnlessSafe],
    ),
    // Code over several lines
    ("= link_to a,\n  b,\n  class: c\nd", "_o= link_to a,\n  b,\n  class: c\n", &[UnlessSafe]),
    ("= a + |\n  b + |\n  c |\n= d", "_o= a +  b +  c\n_o= d\n", &[UnlessSafe, UnlessSafe]),
    // Attributes
    ("%a{href: url, class: 'b', id: :c, n: 1, x: nil, y: \"#\"} t", "_o= url\n", &[Always]),
    ("%a{:href => url, \"data-x\" => y}= z", "_o= url\n_o= y\n_o= z\n", &[Always, Always, UnlessSafe]),
    ("%a{\n  href: url, # the link, {\n  title: t('a}'),\n} t", "_o= url\n_o= t('a}')\n", &[Always, Always]),
    (".a#b.c{ data: { a: x } }", "_o= { a: x }\n", &[Always]),
    ("#a{ attrs, b: c }", "_o= attrs\n_o= c\n", &[Always, Always]),
    ("%p{ **attrs }", "_o= attrs\n", &[Always]),
    ("%p{ {a: 1}.merge(b) }", "_o= {a: 1}.merge(b)\n", &[Always]),
    ("%p{ id: }", "_o= id\n", &[Always]),
    ("%p{ \"data-#{k}\": v }", "_o= \"data-#{k}\"\n_o= v\n", &[Raw, Always]),
    ("%p{ a ? b : {} }", "_o= a ? b : {}\n", &[Always]),
    (
        "%a(href=url title='a \"#{b}\"' checked x='y')= z",
        "_o= url\n_o= \"a \\\"#{b}\\\"\"\n_o= z\n",
        &[Always, Always, UnlessSafe],
    ),
    ("%a(href=\"/a/#{b}\"\n   class=c) d", "_o= \"/a/#{b}\"\n_o= c\n", &[Always, Always]),
    ("%a{href: b}(title=c)[@d, :e]/", "_o= b\n_o= c\n[@d, :e]\n", &[Always, Always]),
    ("%p (a) {b}", "", &[]),
    // Comments
    ("-# a\n  = b\n    = c\n= d", "_o= d\n", &[UnlessSafe]),
    ("/ a #{b}\n/\n  = c", "_o= b\n_o= c\n", &[UnlessSafe, UnlessSafe]),
    ("/[if IE] \n  = c", "_o= c\n", &[UnlessSafe]),
    // Filters
    (":ruby\n  a = [1,\n    2]\n= a", "a = [1,\n  2]\n_o= a\n", &[UnlessSafe]),
    (":plain\n  = a\n  #{b |\n  }\n\n  c\n= d", "_o= b |\n_o= d\n", &[Raw, UnlessSafe]),
    (":escaped\n  #{a}", "_o= a\n", &[Always]),
    (":unheard\n  #{a}\n  b", "_o= a\n", &[Raw]),
    (":javascript\n  a(\"#{b}\", #{c})", "_o= b\n_o= c\n", &[Raw, Raw]),
    // Tabs, and line ends of Windows
    ("%p\n\t%a\n\t\t= b\r\n\t- if c\r\n\t\t= d\r\n", "_o= b\nif c\n_o= d\nend\n", &[UnlessSafe, UnlessSafe]),
];

#[test]
fn templates_become_ruby() {
    for (source, expected, escape) in TABLE {
        let compiled = haml(source);
        assert_eq!(&compiled.ruby, expected, "of {source:?}");
        let escapes: Vec<_> = compiled.outs.iter().map(|o| o.escape).collect();
        assert_eq!(&escapes, escape, "of {source:?}");
        assert_eq!(compiled.problems, [], "of {source:?}");
        let parsed = ruby_prism::parse(compiled.ruby.as_bytes());
        let errors: Vec<_> =
            parsed.errors().map(|e| String::from_utf8_lossy(e.message()).into_owned()).collect();
        assert!(errors.iter().all(|e| e == "Invalid next"), "{errors:?} of {source:?}");
    }
}

#[test]
fn the_context_is_where_the_value_lands() {
    use HtmlContext::{Comment, EventHandler, Quoted, Script, ScriptString, Style, Text, UrlStart};
    assert_eq!(contexts("%script\n  var a = #{b};\n  = c\n%p= d"), [Script, Script, Text]);
    assert_eq!(contexts("%script= a\n= b"), [Script, Text]);
    assert_eq!(contexts("%style\n  a { color: #{b} }\n= c"), [Style, Text]);
    assert_eq!(contexts(":javascript\n  a('#{b}', #{c})\n= d"), [ScriptString, Script, Text]);
    assert_eq!(contexts(":css\n  a { color: #{b} }\n%p= c"), [Style, Text]);
    assert_eq!(contexts("/ #{a}\n/\n  = b\n= c"), [Comment, Comment, Text]);
    assert_eq!(
        contexts("%a{href: a, onclick: b, style: c, title: d}"),
        [UrlStart, EventHandler, Style, Quoted]
    );
    assert_eq!(contexts("%a(href=a onclick=\"b('#{c}')\")= d"), [UrlStart, EventHandler, Text]);
    assert_eq!(contexts("<a href=\"#{a}\" title=\"#{b}\">\n= c"), [UrlStart, Quoted, Text]);
    assert_eq!(contexts("%p{ data: { href: a }, href: b }"), [Quoted, UrlStart]);
}

#[test]
fn options_decide_what_is_escaped() {
    let old = Options { escape: false, ..Options::default() };
    assert_eq!(escapes("= a\n&= b\n!= c\nd #{e}", &old), [Raw, Always, Raw, Raw]);
    let text = Options { html: false, ..Options::default() };
    assert_eq!(escapes("= a\n!= b\n%a{href: c}\n:plain\n  #{d}", &text), [NotHtml; 4]);
    assert!(compile("= a\n%a{b: c}", &text).outs.iter().all(|o| o.context == HtmlContext::NotHtml));
    for (major, expected) in [(4, Raw), (5, UnlessSafe), (6, Raw), (7, Raw)] {
        let options = Options { haml_major: major, ..Options::default() };
        assert_eq!(escapes(":javascript\n  #{a}", &options), [expected], "in Haml {major}");
    }
    assert_eq!(escapes("%a{b: c}", &Options { haml_major: 4, ..Options::default() }), [UnlessSafe]);
}

#[test]
fn erb_within_haml_keeps_its_places() {
    let source = "%p\n  :erb\n    <b><%= title %></b>\n= last";
    let compiled = haml(source);
    check(source, &compiled);
    assert_eq!(compiled.outs.len(), 2);
    let title = compiled.ruby.find("title").unwrap() as u32;
    assert_eq!(compiled.locate(title) as usize, source.find("title").unwrap());
    assert_eq!(compiled.outs[0].escape, Raw, "the filter is plain ERB since Haml 6");
}

#[test]
fn places_are_those_of_the_template() {
    let source = "%ul.a\n  - as.each do |a|\n    %li{title: a.t,\n      id: a.id}= a.name + |\n        rest |\n    p #{q}";
    let compiled = haml(source);
    check(source, &compiled);
    for code in ["as.each", "a.t", "a.id", "a.name", "rest", "q"] {
        let ruby = compiled.ruby.find(code).unwrap() as u32;
        assert_eq!(compiled.locate(ruby) as usize, source.find(code).unwrap(), "of {code}");
    }
    let marks: Vec<_> = compiled.outs.iter().map(|o| &source[o.template as usize..][..2]).collect();
    assert_eq!(marks, ["ti", "id", "= ", "#{"]);
}

#[test]
fn broken_templates_are_read_as_far_as_they_go() {
    for source in
        ["%p{a: b\n= c", "%p(a=\n= c", "- else\n= c", "%\n= c", "= c\n    d\n- end", "=\n= c", "#{a\n= c"]
    {
        let compiled = haml(source);
        check(source, &compiled);
        assert!(!compiled.problems.is_empty(), "of {source:?}");
        assert!(compiled.ruby.contains("_o= c"), "of {source:?}: {}", compiled.ruby);
    }
    assert_eq!(ruby("%p{a: b"), "");
}

#[test]
fn hostile_templates_take_linear_time() {
    let many = 20_000;
    for source in [
        "%a{b: [\n".repeat(many),
        "%a(b=\"#{\n".repeat(many),
        "#{".repeat(many),
        "#{\"".repeat(many),
        format!(":plain\n{}", "  #{\n".repeat(many)),
        format!("%a{{{}", "(".repeat(many) + &"]".repeat(many)),
        format!("= {}", "{ do (".repeat(many)),
        "a |\n".repeat(many),
        (0..2_000).map(|i| " ".repeat(i) + "- a do\n").collect(),
        "= a,\n".repeat(many),
        format!("%a({}", "b=c(\n".repeat(many)),
    ] {
        let begin = std::time::Instant::now();
        check(&source, &haml(&source));
        assert!(begin.elapsed().as_secs() < 2, "{:?}", &source[..20]);
    }
}

/// Lines as they stand in real templates, to be put together in any order and broken anywhere.
const LINES: &[&str] = &[
    "%a.b#c{href: url, \"data-#{x}\": {a: [1, 'é}']}, **rest}= name",
    "%a(href=\"/a/#{b}\" class='c' d=e)/",
    "- if a",
    "- else",
    "- case b",
    "- when 1",
    "- as.each do |a|",
    "= form_for a do |f|",
    "= link_to a,",
    "  b |",
    ":javascript",
    ":ruby",
    ":erb",
    "<%= a %>",
    "-# é",
    "/[if IE]",
    "! a #{b} \\#{c}",
    ".é[@a, :b]<>",
    "%p{",
    "}",
    "%script{type: \"é",
    "#{%w[a b].map { |x| \"#{x}\" }}",
];

proptest! {
    #[test]
    fn any_text_compiles(source in ".*(\n *.*){0,6}", major in 4u32..8, html: bool) {
        check(&source, &compile(&source, &Options { html, haml_major: major, ..Options::default() }));
    }

    #[test]
    fn broken_templates_compile(
        lines in prop::collection::vec((0usize..5, prop::sample::select(LINES), 0usize..80), 1..12)
    ) {
        let mut source = String::new();
        for (indent, line, cut) in lines {
            source.push_str(&"  ".repeat(indent));
            source.extend(line.chars().take(if cut < 50 { cut } else { usize::MAX }));
            source.push('\n');
        }
        let compiled = haml(&source);
        check(&source, &compiled);
    }
}
