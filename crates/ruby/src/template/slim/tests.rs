//! Slim templates, the Ruby that they become and what is written where.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::compile;
use crate::ir::Escape::{self, NotHtml, Raw, UnlessSafe};
use crate::ir::HtmlContext::{
    self, Comment, EventHandler, Quoted, Script, ScriptString, Style, Text, UrlRest, UrlStart,
};
use crate::template::{Compiled, MARKER, Options};

type Out = (Escape, HtmlContext);

/// Compiles, and checks what must hold of every result.
fn checked(source: &str) -> Compiled {
    let compiled = compile(source, &Options::default());
    invariants(source, &compiled);
    compiled
}

fn invariants(source: &str, compiled: &Compiled) {
    let mut ruby = 0;
    for copied in &compiled.map {
        assert!(copied.ruby >= ruby, "copied stretches overlap");
        ruby = copied.ruby + copied.len;
        let from = &source[copied.template as usize..][..copied.len as usize];
        let to = &compiled.ruby[copied.ruby as usize..][..copied.len as usize];
        // ERB counts its tags and text as copied too: they become blanks of the same length.
        assert!(from == to || source.contains("erb:"), "a copied stretch differs: {from:?} and {to:?}");
    }
    assert!(compiled.outs.is_sorted_by(|a, b| a.ruby < b.ruby), "markers do not ascend");
    for out in &compiled.outs {
        assert!(compiled.ruby[out.ruby as usize..].starts_with(MARKER));
        assert!((out.template as usize) < source.len());
    }
    for (at, _) in &compiled.problems {
        assert!(*at as usize <= source.len());
    }
}

fn ruby_errors(ruby: &str) -> Vec<String> {
    ruby_prism::parse(ruby.as_bytes())
        .errors()
        .map(|error| String::from_utf8_lossy(error.message()).into_owned())
        // A template stands in a method of its own, where `yield` is right.
        .filter(|message| message != "Invalid yield")
        .collect()
}

#[track_caller]
fn becomes(source: &str, ruby: &str, outs: &[Out]) {
    let compiled = checked(source);
    let lines = |code: &str| {
        code.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&compiled.ruby), lines(ruby), "ruby of\n{source}");
    let found: Vec<Out> = compiled.outs.iter().map(|out| (out.escape, out.context)).collect();
    assert_eq!(found, outs, "outs of\n{source}");
    assert_eq!(compiled.problems, [], "problems of\n{source}");
    assert_eq!(ruby_errors(&compiled.ruby), [""; 0], "{}", compiled.ruby);
}

#[test]
fn tags_without_code_become_nothing() {
    for source in [
        "",
        "\u{feff}doctype html\nhtml\n  head\n    title Shop\n",
        "#main.wide.tall: p Hello\n",
        "img src=\"a.png\" alt='b'/\n",
        "input type=\"checkbox\" checked=true disabled=nil\n",
        "input[type=\"checkbox\" checked required]\n",
        "a(href=\"x\"\n  title=\"y\"\n) Text\n",
        "/ note = @secret\n   = @more\np done\n",
        "svg:circle r=\"1\"\n",
        ".w-1/2.md:flex.hover:-mt-1 text\n",
        "coffee:\n  alert \"#{@name}\"\n",
        "scss:\n  a { b: #{$c} }\n",
        "p \\#{literal} and \\\\#{too}\n",
        "p unfinished #{ here\n",
    ] {
        becomes(source, "", &[]);
    }
}

#[test]
fn outputs_escape_with_one_sign_and_not_with_two() {
    let text = [(UnlessSafe, Text)];
    becomes("= @a\n", "_o= @a", &text);
    becomes("=> @a\n", "_o= @a", &text);
    becomes("=<> @a\n", "_o= @a", &text);
    becomes("=' @a\n", "_o= @a", &text);
    becomes("='a'\n", "_o= 'a'", &text);
    becomes("== @a\n", "_o= @a", &[(Raw, Text)]);
    becomes("==< @a\n", "_o= @a", &[(Raw, Text)]);
    becomes("p = @a\n", "_o= @a", &text);
    becomes("p=@a\n", "_o= @a", &text);
    becomes("p.x#y== @a\n", "_o= @a", &[(Raw, Text)]);
    becomes("p<> = @a\n", "_o= @a", &text);
    becomes("p => @a\n", "_o= @a", &text);
    becomes("h1\n  = @a\n  == @b\n", "_o= @a\n_o= @b", &[(UnlessSafe, Text), (Raw, Text)]);
    becomes("= yield :head\n", "_o= yield :head", &text);
    becomes("\r\n= @a\r\n  \r\n= @b\r\n", "_o= @a\n_o= @b", &[text[0], text[0]]);
}

#[test]
fn text_is_interpolated() {
    becomes("p Hello #{@a}, #{{@b}}!\n", "_o= @a\n_o= @b", &[(UnlessSafe, Text), (Raw, Text)]);
    becomes("p ##{@a}\n", "_o= @a", &[(UnlessSafe, Text)]);
    becomes("p #{ {a: 1}[:a] }\n", "_o= {a: 1}[:a]", &[(UnlessSafe, Text)]);
    becomes("p #{x.map { |y| \"#{y}\" }}\n", "_o= x.map { |y| \"#{y}\" }", &[(UnlessSafe, Text)]);
    becomes("p #{} #{{}} #{ }\n", "", &[]);
    becomes("p #{a; b}\n", "_o= (a; b\n)", &[(UnlessSafe, Text)]);
    becomes(
        "| First #{a}\n  = not code #{b}\n\n    further #{c}\n' last #{d}\np\n",
        "_o= a\n_o= b\n_o= c\n_o= d",
        &[(UnlessSafe, Text); 4],
    );
    becomes("p first\n  second #{a}\n  | third\n= b\n", "_o= a\n_o= b", &[(UnlessSafe, Text); 2]);
    becomes("p\n  |\n    deep #{a}\n  |> x #{b}\n", "_o= a\n_o= b", &[(UnlessSafe, Text); 2]);
}

#[test]
fn attributes_are_escaped_and_know_their_place() {
    becomes("p title=@a\n", "_o= @a", &[(UnlessSafe, Quoted)]);
    becomes("p title==@a\n", "_o= @a", &[(Raw, Quoted)]);
    becomes(
        "a href=@a rel=\"x\" Text #{b}\n",
        "_o= @a\n_o= b",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Text)],
    );
    becomes(
        "a href = f(1, [2]) = b\n",
        "_o= f(1, [2])\n_o= b",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Text)],
    );
    becomes("a href=\"#{@a}\"\n", "_o= @a", &[(UnlessSafe, UrlStart)]);
    becomes("a href='/u/#{@a}'\n", "_o= \"/u/#{@a}\"", &[(UnlessSafe, UrlRest)]);
    becomes("a onclick=\"go('#{@a}')\"\n", "_o= \"go('#{@a}')\"", &[(UnlessSafe, EventHandler)]);
    becomes("a style=\"width: #{w}px\"\n", "_o= \"width: #{w}px\"", &[(UnlessSafe, Style)]);
    becomes("p title=\"a#{b}\\\"\n", "_o= \"a#{b}\\\\\"", &[(UnlessSafe, Quoted)]);
    becomes("p title='\"#x #{{b}}'\n", "_o= \"\\\"\\#x #{b}\"", &[(Raw, Quoted)]);
    // The two signs leave the text as it is; the code in it is escaped all the same.
    becomes("p title==\"#{b}\"\n", "_o= b", &[(UnlessSafe, Quoted)]);
    becomes("p title=\"#{x[\"y\"]}\" z\n", "_o= x[\"y\"]", &[(UnlessSafe, Quoted)]);
    becomes("p class=(a ? b : c) d\n", "_o= (a ? b : c)", &[(UnlessSafe, Quoted)]);
    becomes("p data={a: @b, c: [1]} text\n", "_o= {a: @b, c: [1]}", &[(UnlessSafe, Quoted)]);
    becomes("*{tag: @t, class: 'x'} text\n", "_o= {tag: @t, class: 'x'}", &[(UnlessSafe, Quoted)]);
    becomes(
        "a *attrs(1, 2) *@more href=b\n",
        "_o= attrs(1, 2)\n_o= @more\n_o= b",
        &[(UnlessSafe, Quoted), (UnlessSafe, Quoted), (UnlessSafe, UrlStart)],
    );
}

#[test]
fn attributes_run_over_lines() {
    becomes(
        "a(href=@a\n  title=@b\n\n  disabled\n) = c\n",
        "_o= @a\n_o= @b\n_o= c",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes(
        "a{href=@a\n  data-x={b: 1}} #{c}\n",
        "_o= @a\n_o= {b: 1}\n_o= c",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes(
        "a[href=@a title=b] c\n= d\n",
        "_o= @a\n_o= b\n_o= d",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes(
        "p title=f(a,\n    b) text\n= c\n",
        "_o= f(a,\n b)\n_o= c",
        &[(UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes(
        "p title=\"x\n  #{a}\"\n= b\n",
        "_o= \"x\n#{a}\"\n_o= b",
        &[(UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
}

#[test]
fn tags_chain_on_one_line() {
    becomes("li: a href=@a = b\n", "_o= @a\n_o= b", &[(UnlessSafe, UrlStart), (UnlessSafe, Text)]);
    becomes(
        "ul: li.x: a(title=@a): b text #{c}\n",
        "_o= @a\n_o= c",
        &[(UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes("li: a\n  = b\n= c\n", "_o= b\n_o= c", &[(UnlessSafe, Text); 2]);
    becomes(
        "head: javascript:\n  x = #{a}\np = b\n",
        "_o= a\n_o= b",
        &[(UnlessSafe, Script), (UnlessSafe, Text)],
    );
}

#[test]
fn blocks_end_where_the_indentation_does() {
    becomes(
        "- if @a\n  p = b\n- elsif c\n  p = d\n- else\n\n  / note\n  p = e\np = f\n",
        "if @a\n_o= b\nelsif c\n_o= d\nelse\n_o= e\nend\n_o= f",
        &[(UnlessSafe, Text); 4],
    );
    becomes("- if a\n/ note\n- else\n  = b\n", "if a\nelse\n_o= b\nend", &[(UnlessSafe, Text)]);
    becomes("- x = 1\n- y\n= x\n", "x = 1\ny\n_o= x", &[(UnlessSafe, Text)]);
    becomes(
        "- a.each do |b|\n  - c.each\n    = b\n",
        "a.each do |b|\nc.each do\n_o= b\nend\nend",
        &[(UnlessSafe, Text)],
    );
    becomes("- x = 1\n  / only a comment\n= x\n", "x = 1\n_o= x", &[(UnlessSafe, Text)]);
    becomes("- 3.times\n  / a comment first\n  p = x\n", "3.times do\n_o= x\nend", &[(UnlessSafe, Text)]);
    becomes(
        "- case a\n- when 1, 2\n  = b\n- else\n  = c\n= d\n",
        "case a\nwhen 1, 2\n_o= b\nelse\n_o= c\nend\n_o= d",
        &[(UnlessSafe, Text); 3],
    );
    becomes(
        "- case a\n  / two\n  - when 1\n    = b\n  - when 2\n    = c\n= d\n",
        "case a\nwhen 1\n_o= b\nwhen 2\n_o= c\nend\n_o= d",
        &[(UnlessSafe, Text); 3],
    );
    becomes(
        "- begin\n  = a\n- rescue E => e\n  = b\n- ensure\n  - c\n",
        "begin\n_o= a\nrescue E => e\n_o= b\nensure\nc\nend",
        &[(UnlessSafe, Text); 2],
    );
    becomes(
        "- unless a\n  - while b\n    = c\n",
        "unless a\nwhile b do\n_o= c\nend\nend",
        &[(UnlessSafe, Text)],
    );
    becomes("- index = 1\n- interest = 2\n- else_x\n", "index = 1\ninterest = 2\nelse_x", &[]);
}

#[test]
fn outputs_take_blocks() {
    becomes(
        "= form_for @a do |f|\n  = f.text :b\n  p\n    = f.submit\n= c\n",
        "_o= form_for @a do |f|\n_o= f.text :b\n_o= f.submit\nend\n_o= c",
        &[(UnlessSafe, Text); 4],
    );
    becomes("p = link_to a\n  b x\n= c\n", "_o= link_to a do\nend\n_o= c", &[(UnlessSafe, Text); 2]);
    becomes("== f do\n  = a\n", "_o= f do\n_o= a\nend", &[(Raw, Text), (UnlessSafe, Text)]);
    becomes("= if a\n  = b\n- else\n  = c\n", "_o= if a\n_o= b\nelse\n_o= c\nend", &[(UnlessSafe, Text); 3]);
    becomes("= a or b\n", "_o= (a or b\n)", &[(UnlessSafe, Text)]);
    becomes("= a if b\n", "_o= a if b", &[(UnlessSafe, Text)]);
}

#[test]
fn code_runs_over_lines() {
    becomes("= f a,\n    b: 1,\n    c: 2\n= d\n", "_o= f a,\nb: 1,\nc: 2\n_o= d", &[(UnlessSafe, Text); 2]);
    becomes("- x = a && \\  \n    b\n= x\n", "x = a && \\\nb\n_o= x", &[(UnlessSafe, Text)]);
    becomes("= f a,\n  b do |c|\n  = c\n", "_o= f a,\nb do |c|\n_o= c\nend", &[(UnlessSafe, Text); 2]);
}

#[test]
fn raw_markup_is_followed() {
    becomes(
        "<a href=\"#{@a}\" title='#{b}'>\n  p = c\n</a>\n",
        "_o= @a\n_o= b\n_o= c",
        &[(UnlessSafe, UrlStart), (UnlessSafe, Quoted), (UnlessSafe, Text)],
    );
    becomes("| <b class=\"x\n  #{a}\">#{{b}}</b>\n", "_o= a\n_o= b", &[(UnlessSafe, Quoted), (Raw, Text)]);
    becomes("p 1 <b\np = a\n", "_o= a", &[(UnlessSafe, Text)]);
    becomes(
        "<script>\n  | var a = \"#{b}\";\n</script>\n= c\n",
        "_o= b\n_o= c",
        &[(UnlessSafe, ScriptString), (UnlessSafe, Text)],
    );
    becomes(
        "/! by #{a}\n   and #{b}\n= c\n",
        "_o= a\n_o= b\n_o= c",
        &[(UnlessSafe, Comment), (UnlessSafe, Comment), (UnlessSafe, Text)],
    );
    becomes("/[if IE]\n  p = a\n", "_o= a", &[(UnlessSafe, Text)]);
}

#[test]
fn scripts_and_styles_are_told_apart() {
    becomes(
        "javascript:\n  var a = #{b}, c = '#{{d}}';\n  e(#{f})\n= g\n",
        "_o= b\n_o= d\n_o= f\n_o= g",
        &[(UnlessSafe, Script), (Raw, ScriptString), (UnlessSafe, Script), (UnlessSafe, Text)],
    );
    becomes("javascript: a(#{b})\n= c\n", "_o= b\n_o= c", &[(UnlessSafe, Script), (UnlessSafe, Text)]);
    becomes("css:\n  a { color: #{b} }\n", "_o= b", &[(UnlessSafe, Style)]);
    becomes(
        "script\n  == @a.to_json\n  - if b\n    | x = '#{c}'\np = d\n",
        "_o= @a.to_json\nif b\n_o= c\nend\n_o= d",
        &[(Raw, Script), (UnlessSafe, ScriptString), (UnlessSafe, Text)],
    );
    becomes("script == @a\n= b\n", "_o= @a\n_o= b", &[(Raw, Script), (UnlessSafe, Text)]);
    becomes("script a(#{b})\n= c\n", "_o= b\n_o= c", &[(UnlessSafe, Script), (UnlessSafe, Text)]);
    becomes("script\n= c\n", "_o= c", &[(UnlessSafe, Text)]);
    becomes("style\n  | a { b: #{c} }\n", "_o= c", &[(UnlessSafe, Style)]);
    becomes("script type=\"text/x-template\"\n  | <p>#{a}</p>\n", "_o= a", &[(UnlessSafe, Text)]);
}

#[test]
fn engines_are_embedded() {
    becomes(
        "ruby:\n  a = 1\n  if a\n    b\n  end\n= a\n",
        "a = 1\nif a\nb\nend\n_o= a",
        &[(UnlessSafe, Text)],
    );
    becomes("ruby: a = 1\n= a\n", "a = 1\n_o= a", &[(UnlessSafe, Text)]);
    becomes("markdown:\n  # Hi #{a}\n  - b\n= c\n", "_o= a\n_o= c", &[(UnlessSafe, Text); 2]);
    let erb = checked("p\n  erb:\n    <b title=\"<%= a %>\"><%== b %></b>\n= c\n");
    let places: Vec<_> = erb.outs.iter().map(|out| (out.escape, out.context, out.template)).collect();
    assert_eq!(places, [(UnlessSafe, Quoted, 23), (Raw, Text, 33), (UnlessSafe, Text, 47)]);
    assert_eq!(erb.locate(erb.ruby.find("a ").expect("a is there") as u32), 27);
    let heredoc = checked("ruby:\n  a = <<EOS\n    text\n  EOS\n  b\n");
    assert!(heredoc.ruby.contains("a = <<EOS\n  text\nEOS\nb\n"), "{}", heredoc.ruby);
}

#[test]
fn pages_that_are_not_html_escape_nothing() {
    let source = "= a\n== b\np title=c #{d}\n";
    let compiled = compile(source, &Options { html: false, ..Options::default() });
    assert_eq!(compiled.outs.len(), 4);
    for out in &compiled.outs {
        assert_eq!((out.escape, out.context), (NotHtml, HtmlContext::NotHtml));
    }
    let compiled = compile(source, &Options { escape: false, ..Options::default() });
    assert!(compiled.outs.iter().all(|out| out.escape == Raw));
}

#[test]
fn places_lead_back_to_the_template() {
    let source =
        "ul\n  - @posts.each do |post|\n    li: a href=post.url title=\"by #{author}\" = post.title\n";
    let compiled = checked(source);
    for code in ["@posts.each", "post.url", "author", "post.title"] {
        let at = compiled.ruby.find(code).expect("the code is there");
        assert_eq!(
            compiled.locate(at as u32) as usize,
            source.find(code).expect("it is there too"),
            "{code}"
        );
    }
    let tags: Vec<_> = compiled.outs.iter().map(|out| &source[out.template as usize..][..5]).collect();
    assert_eq!(tags, ["href=", "title", "= pos"]);
}

#[test]
fn what_is_wrong_is_told_and_survived() {
    for (source, sentence) in [
        ("p\n      a\n   b\n= c\n", "Malformed indentation"),
        ("= a\n- end\n= c\n", "Explicit end statements are forbidden"),
        ("- else\n  = c\n", "No block is open here"),
        ("! x\n= c\n", "Unknown line indicator"),
        ("p(a=1\n= c\n", "Expected attribute"),
        ("= c\np title=f(a\n", "Expected closing delimiter"),
        ("= c\np title=\"f\n", "Expected closing quote"),
        ("br/\n  = c\n", "Unexpected indentation"),
        ("br/ x\n= c\n", "Unexpected text after closed tag"),
        ("= c\n= a,\n", "Unexpected end of file"),
    ] {
        let compiled = checked(source);
        assert!(compiled.problems.iter().any(|(_, s)| s == sentence), "{source}: {:?}", compiled.problems);
        assert!(compiled.ruby.contains("c\n"), "{source}: {}", compiled.ruby);
    }
}

/// Each of these is one line or one nesting, large.
#[test]
fn large_templates_take_linear_time() {
    let n = 1_000_000;
    let mut deep = String::new();
    for level in 0..3_000 {
        deep.push_str(&" ".repeat(level));
        deep.push_str("- if a\n");
    }
    let samples = [
        "x".repeat(5 * n),
        format!("p {}", "#{".repeat(n)),
        format!("p {}", "#{a}".repeat(n)),
        format!("p {}{}", "#{".repeat(n), "}".repeat(n)),
        format!("a title=\"{}", "{".repeat(n)),
        format!("a title=\"{}\"", "#{".repeat(n)),
        "li: ".repeat(n),
        ".a:".repeat(n),
        format!("a({}", "b ".repeat(n)),
        format!("a({}", "\n".repeat(n)),
        format!("a {}", "b=(".repeat(n)),
        format!("a{}", " b=c".repeat(n)),
        format!("a *{}", "*".repeat(n)),
        "= a\n\n".repeat(n),
        "- a\n  / b\n".repeat(n / 4),
        "p <a b='\n".repeat(n / 4),
        "= a,\n".repeat(n),
        format!("= a do |{}", "|".repeat(n)),
        format!("| {}", "<".repeat(n)),
        "javascript:\n  '#{a}'\n".repeat(n / 20),
        deep,
    ];
    for sample in samples {
        let start = Instant::now();
        checked(&sample);
        let head: String = sample.chars().take(12).collect();
        assert!(start.elapsed() < Duration::from_secs(4), "{head}… took {:?}", start.elapsed());
    }
}

/// Lines that Slim gives a meaning.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\n",
        "\n  ",
        "\n    ",
        "\n\t",
        "\r\n",
        " ",
        "p",
        "a",
        ".b",
        "#c",
        "*",
        "*{d: 1}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        "==",
        "=>",
        "=<",
        "-",
        "- if x",
        "- else",
        "- case y",
        "- when z",
        "- end",
        " do |f|",
        "|",
        "'",
        "\"",
        "/",
        "/!",
        "/[if IE]",
        "<a href=\"",
        "<script>",
        "#{",
        "#{{",
        "}}",
        "\\#{",
        "\\",
        ",",
        ":",
        ": ",
        "javascript:",
        "css:",
        "ruby:",
        "erb:",
        "markdown:",
        "script",
        "style",
        "doctype",
        " href=",
        " title=\"",
        "é",
        "日本",
        "\u{feff}",
        "\0",
        "__END__",
        "=begin",
        "<%= q %>",
        "<!--",
        "x",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_string_is_survived(source in any::<String>()) {
        checked(&source);
    }

    #[test]
    fn any_mix_of_slim_is_survived(source in pieces()) {
        let start = Instant::now();
        checked(&source);
        prop_assert!(start.elapsed() < Duration::from_secs(1));
    }
}
