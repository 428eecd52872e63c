//! What ERB tags compile to, and that any input does.

use super::super::{Compiled, Options};
use super::{compile, compile_script};
use crate::ir::Escape;
use crate::ir::HtmlContext::{self, *};
use proptest::prelude::*;

fn ruby(source: &str) -> String {
    compile(source, &Options::default()).ruby
}

fn contexts(source: &str) -> Vec<HtmlContext> {
    compile(source, &Options::default()).outs.iter().map(|out| out.context).collect()
}

/// The messages of Prism, but for `yield` and its like, which a template may hold anywhere.
fn syntax_errors(ruby: &str) -> Vec<String> {
    let result = ruby_prism::parse(ruby.as_bytes());
    let messages = result.errors().map(|error| String::from_utf8_lossy(error.message()).into_owned());
    messages.filter(|message| !message.starts_with("Invalid ")).collect()
}

#[test]
fn tags() {
    let table = [
        ("<p><%= a %></p>", "   _o= a \n     "),
        ("<%== a -%>\n", "_o=  a  \n \n"),
        ("<%- if a -%>é<%- end -%>", "    if a  \n       end  \n "),
        ("<% a # b %>c", "   a # b \n  "),
        ("<%# a\nb %>c", "  # a\n  \n  "),
        ("<%% a %><%= b %>", "        _o= b \n "),
        ("<%= %><%= # a %>", "    \n     # a \n "),
        ("<%|= a do %><%| end %>", "_o=  a do \n     end \n "),
        ("<%='%%>'%>", "_o=' %>'\n "),
        ("<%%>", "  \n "),
        ("<%-%>", "   \n "),
    ];
    for (source, expected) in table {
        assert_eq!(ruby(source), expected, "{source}");
    }
}

#[test]
fn what_comes_out_parses() {
    let sources = [
        "<%= form_for @a, url: b do |f| %><p><%= f.c %></p><% end %>",
        "<% case a %>\n<p>\n<% when 1 %>x<% else %>y<% end %>",
        "<% a.each { |b| %><%= b %><% } %>",
        "<%= a if b # c %><%= yield :d %><%= not e %>",
        "<%= a(\n  1,\n  2,\n) %>",
        "<%= a(<<~B)\n  c\nB\n%><% if d then e end %>",
        "<%= a(b do %>c<% end) %>",
        "<% begin %>a<% rescue B => e %><%= e %><% ensure %>c<% end %>",
        "<% if a %>b<% elsif c %>d<%# e %><% else %>f<% end %>",
        "<%= a \"é\", b: 1 do -%>\n<% end -%>",
        "<%= render 'a', form: %><%= render 'b', form: %><% x = 1.. %><% y %>",
        "<% next if a %><% return unless b %>",
    ];
    for source in sources {
        let compiled = compile(source, &Options::default());
        assert_eq!(syntax_errors(&compiled.ruby), Vec::<String>::new(), "{}", compiled.ruby);
        assert_eq!(compiled.problems, [], "{source}");
    }
}

#[test]
fn an_open_tag_is_text_and_a_problem() {
    let compiled = compile("<%= a %><p <% if b", &Options::default());
    assert_eq!(compiled.ruby, "_o= a \n           ");
    assert_eq!(compiled.problems.len(), 1);
    assert_eq!(compiled.problems[0].0, 11);
}

#[test]
fn escapes() {
    let escapes = |options: &Options| -> Vec<Escape> {
        compile("<%= a %><%== b %>", options).outs.iter().map(|out| out.escape).collect()
    };
    let rails = Options::default();
    assert_eq!(escapes(&rails), [Escape::UnlessSafe, Escape::Raw]);
    assert_eq!(escapes(&Options { escape: false, ..rails }), [Escape::Raw, Escape::Raw]);
    assert_eq!(escapes(&Options { html: false, ..rails }), [Escape::NotHtml, Escape::NotHtml]);
    let text = compile("<a href='<%= a %>'>", &Options { html: false, ..rails });
    assert_eq!(text.outs[0].context, NotHtml);
}

#[test]
fn branches_start_from_the_same_markup() {
    let table: &[(&str, &[HtmlContext])] = &[
        ("<a href=\"<% if a %>/b<% else %><%= c %><% end %>/<%= d %>\">", &[UrlStart, UrlRest]),
        ("<% if a %><div class=\"b\"<% else %><div <% end %> id=\"<%= c %>\"><%= d %>", &[Quoted, Text]),
        ("<% if a %><a title=\"<% else %><b id=\"<% end %><%= c %>\"><%= d %>", &[Quoted, Text]),
        ("<p class=<% if a %>'b'<% else %>'<%= c %>'<% end %>><%= d %>", &[Quoted, Text]),
        ("<% case a %><% when 1 %><script><% when 2 %><p><%= b %><% end %>", &[Text]),
        ("<a href='<%= a ? b : c %>' <%= 'd' if e %>><%= f %></a>", &[UrlStart, Unquoted, Text]),
        ("<% a.each do |b| %><li id='<%= b %>'><% end %><% else %><%= c %>", &[Quoted, Text]),
    ];
    for (source, expected) in table {
        assert_eq!(contexts(source), *expected, "{source}");
    }
}

#[test]
fn blocks_that_are_scripts() {
    let source =
        "<%= javascript_tag nonce: true do %>a = '<%= b %>'; <% if c %>d(<%= d %>)<% end %><% end %><%= e %>";
    assert_eq!(contexts(source), [Text, ScriptString, Script, Text]);
    let source = "<%= content_tag :script do %><%= a %><% end %><%= content_tag :p do %><%= b %><% end %>";
    assert_eq!(contexts(source), [Text, Script, Text, Text]);
    assert_eq!(contexts("<%= javascript_tag 'a' %><%= b %>"), [Text, Text]);
}

#[test]
fn script_files() {
    let source = "$('#<%= a %>').html('<%= j render(b) %>'); <% if c %>f(<%== d %>)<% end %>";
    let compiled = compile_script(source, &Options { html: false, ..Options::default() });
    let outs: Vec<_> = compiled.outs.iter().map(|out| (out.context, out.escape)).collect();
    assert_eq!(
        outs,
        [(ScriptString, Escape::UnlessSafe), (ScriptString, Escape::UnlessSafe), (Script, Escape::Raw)]
    );
}

#[test]
fn script_files_that_are_markup() {
    let source = "\n<script type='text/template'><a href='<%= a %>'><%= b %>";
    let compiled = compile_script(source, &Options::default());
    assert_eq!(compiled.outs.iter().map(|out| out.context).collect::<Vec<_>>(), [UrlStart, Text]);
}

fn well_formed(source: &str, compiled: &Compiled) -> Result<(), TestCaseError> {
    prop_assert_eq!(compiled.ruby.len(), source.len());
    prop_assert!(compiled.outs.windows(2).all(|pair| pair[0].ruby < pair[1].ruby));
    for out in &compiled.outs {
        let at = out.ruby as usize;
        prop_assert!(source[at..].starts_with("<%"));
        prop_assert!(compiled.ruby[at..].starts_with("_o="));
        prop_assert_eq!(compiled.locate(out.ruby), out.template);
    }
    let newlines = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
    let kept = newlines(&compiled.ruby);
    prop_assert!(newlines(source).iter().all(|at| kept.binary_search(at).is_ok()));
    Ok(())
}

/// Pieces that mean something to ERB, HTML or JavaScript, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<%",
        "<%=",
        "<%==",
        "<%-",
        "<%#",
        "<%%",
        "<%|=",
        "%>",
        "-%>",
        "%%>",
        "=%>",
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<a ",
        "href=",
        "onclick=",
        "\"",
        "'",
        "`",
        "${",
        "{",
        "}",
        "/",
        "//",
        "/*",
        "*/",
        "\\",
        "<script",
        "</script>",
        "<style>",
        "</style>",
        "<title>",
        " if a ",
        " else ",
        " end ",
        " do |x| ",
        "\n",
        " ",
        "é",
        "a",
        "=",
        "#",
        ":",
        "javascript:",
        "javascript_tag do",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_compiles(source in any::<String>()) {
        well_formed(&source, &compile(&source, &Options::default()))?;
        well_formed(&source, &compile_script(&source, &Options::default()))?;
    }

    #[test]
    fn any_pieces_compile(source in pieces()) {
        well_formed(&source, &compile(&source, &Options::default()))?;
        well_formed(&source, &compile_script(&source, &Options::default()))?;
    }
}

#[test]
fn time_grows_with_length() {
    // Each of these would take minutes if any step looked back or ahead over the whole file.
    for piece in [
        "<%",
        "<%=",
        "<%= a do %>",
        "<",
        "<a ",
        "<a b='",
        "<script>",
        "<!--",
        "<% if a %>",
        "%%>",
        "<%= '%%>",
    ] {
        let source = piece.repeat(2_000_000 / piece.len());
        let start = std::time::Instant::now();
        let compiled = compile(&source, &Options::default());
        assert_eq!(compiled.ruby.len(), source.len());
        assert!(start.elapsed().as_secs() < 20, "{piece}");
    }
}
