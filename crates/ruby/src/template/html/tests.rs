//! Markup with outputs, written `§`, and the contexts they land in.

use super::{Tracker, attribute_context};
use crate::ir::HtmlContext::{self, *};

fn contexts(markup: &str) -> Vec<HtmlContext> {
    run(Tracker::default(), markup)
}

fn run(mut tracker: Tracker, markup: &str) -> Vec<HtmlContext> {
    let mut found = Vec::new();
    for (index, piece) in markup.split('§').enumerate() {
        if index > 0 {
            found.push(tracker.context());
            tracker.output();
        }
        tracker.text(piece);
    }
    found
}

fn check(table: &[(&str, &[HtmlContext])]) {
    for (markup, expected) in table {
        assert_eq!(contexts(markup), *expected, "{markup}");
    }
}

#[test]
fn text_and_tags() {
    check(&[
        ("§", &[Text]),
        ("<p>§</p>§", &[Text, Text]),
        ("a < § and b > §", &[Text, Text]),
        ("1 <§", &[Unquoted]),
        ("<§ class='§'>§</§>§", &[Unquoted, Quoted, Text, Unquoted, Text]),
        ("<h§ id=\"§\">§", &[Unquoted, Quoted, Text]),
        ("<p §>§", &[Unquoted, Text]),
        ("<br/>§<br />§", &[Text, Text]),
        ("<!doctype html>§<?xml version='1.0'?>§", &[Text, Text]),
    ]);
}

#[test]
fn attributes() {
    check(&[
        ("<p class=\"a § b\" title='§'>", &[Quoted, Quoted]),
        ("<p class = \"§\">", &[Quoted]),
        ("<p class=§ id=x§ >§", &[Unquoted, Unquoted, Text]),
        ("<option § selected>§", &[Unquoted, Text]),
        ("<p data-§=\"§\">", &[Unquoted, Quoted]),
        ("<p §=\"§\">", &[Unquoted, Quoted]),
        ("<p on§=\"§\">", &[Unquoted, EventHandler]),
        ("<p ONCLICK=\"f('§')\" on=\"§\">", &[EventHandler, Quoted]),
        ("<p style='color: §'>", &[Style]),
        ("<iframe srcdoc=\"§\">", &[EventHandler]),
        ("<p @click=\"§\" x-data='{a: §}'>", &[EventHandler, EventHandler]),
        ("<p data-a=\"<b>§</b>\n<b>§</b>\">§", &[Quoted, Quoted, Text]),
    ]);
}

#[test]
fn urls() {
    check(&[
        ("<a href=\"§\">", &[UrlStart]),
        ("<a href=\" §\">", &[UrlStart]),
        ("<a href='§/§'>", &[UrlStart, UrlRest]),
        ("<a href='/a/§?b=§'>", &[UrlRest, UrlRest]),
        ("<a HREF='JavaScript:§'>", &[EventHandler]),
        ("<a href='javascript:f(1, \"§\")'>", &[EventHandler]),
        ("<a href=§>", &[Unquoted]),
        ("<img src=\"§\"><form action=\"§\"><button formaction=\"§\">", &[UrlStart, UrlStart, UrlStart]),
        ("<object data=\"§\"><div data=\"§\">", &[UrlStart, Quoted]),
        ("<use xlink:href=\"#§\">", &[UrlRest]),
    ]);
}

#[test]
fn scripts() {
    check(&[
        ("<script>var a = §;</script>§", &[Script, Text]),
        ("<script>var a = '§' + \"§\" + §;", &[ScriptString, ScriptString, Script]),
        ("<script>a = 'it\\'s §'; b = §", &[ScriptString, Script]),
        ("<script>// don't\n a = §; /* it's */ b = '§'", &[Script, ScriptString]),
        ("<script>a = `x ${ {b: '§'} } §` + §", &[ScriptString, ScriptString, Script]),
        ("<script>a = b.replace(/['\"]/g, '§'); §", &[ScriptString, Script]),
        ("<script>a = b / c; d = '§' / 2", &[ScriptString]),
        ("<script>a = 'broken\nb = §", &[Script]),
        ("<script>if (a < b && c </script>§", &[Text]),
        ("<script><!--\nit = '§'\n//--></script>§", &[ScriptString, Text]),
        ("<script src=\"§\"></script>§", &[UrlStart, Text]),
        ("<script type='application/ld+json'>{\"a\": \"§\", \"b\": §}", &[ScriptString, Script]),
        ("<script type='text/x-template'><a href=\"§\">§</a></script>§", &[UrlStart, Text, Text]),
        ("<script type=text/html>§</script>§", &[Text, Text]),
        ("<SCRIPT>§</SCRIPT>§", &[Script, Text]),
        ("<style>a { color: § }</style>§", &[Style, Text]),
        ("<textarea><a href=\"§</textarea>§", &[Text, Text]),
        ("<title>§</title>§", &[Text, Text]),
    ]);
}

#[test]
fn comments() {
    check(&[
        ("<!-- § <script> -->§", &[Comment, Text]),
        ("<!-->§", &[Text]),
        ("<!--[if IE]><a href='§'><![endif]-->§", &[Comment, Text]),
        ("<![CDATA[ <a href=' ]]>§", &[Text]),
    ]);
}

#[test]
fn recovers() {
    check(&[
        // Two branches that each open the tag.
        ("<div class=\"a\"\n<div class=\"b\"\n>§", &[Text]),
        ("<div class=\"a<div class=\"b\">§", &[Text]),
        ("<a href=\"§>x</a>\n<p title=\"§\">§", &[UrlStart, Quoted, Text]),
        ("<a title=\"x\n<p>\n§</p>§", &[Quoted, Quoted]),
        ("<a title=\"a > b\">\n<p>§", &[Text]),
        ("<a title='it's' href=\"§\">§", &[UrlStart, Text]),
        ("<a href=\"x\"\" class=\"§\">§", &[Quoted, Text]),
        ("<p <b>§", &[Text]),
    ]);
}

#[test]
fn script_files() {
    let script = run(Tracker::for_script(), "$('#§').html(\"§\"); f(§); '</script>§'");
    assert_eq!(script, [ScriptString, ScriptString, Script, ScriptString]);
}

#[test]
fn attributes_by_name() {
    assert_eq!(attribute_context("a", "HREF", true), UrlStart);
    assert_eq!(attribute_context("a", "href", false), UrlRest);
    assert_eq!(attribute_context("p", "onclick", true), EventHandler);
    assert_eq!(attribute_context("p", "class", true), Quoted);
}
