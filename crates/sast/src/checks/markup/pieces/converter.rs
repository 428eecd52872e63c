//! Converters: what makes markup of a text and lets the tags in it through.

use wardroom_ruby::ir::*;

use super::Pieces;
use super::scope::{From, Scope};

impl<'a> Pieces<'_, '_, 'a> {
    /// The text of which a call makes markup without taking out the tags in it: what Markdown,
    /// Textile and RDoc do unless they are told otherwise.
    pub(super) fn converted(&self, call: &'a Call, scope: &Scope<'a>) -> Option<&'a Node> {
        let name = call.name.as_str();
        if !matches!(
            name,
            "convert"
                | "to_html"
                | "render"
                | "render_html"
                | "auto_link"
                | "to_s"
                | "to_xhtml"
                | "auto_link_urls"
        ) {
            return None;
        }
        if name == "auto_link" && call.recv.is_none() {
            let kept = self.context.app.rails() < (3, 1)
                || call.args.iter().any(|a| match &a.kind {
                    Kind::Hash(pairs) => pairs.iter().any(|p| {
                        wardroom_rails::literal_name(&p.key).is_some_and(|k| k == "sanitize")
                            && matches!(p.value.kind, Kind::False)
                    }),
                    _ => false,
                });
            return if kept { call.args.first() } else { None };
        }
        let recv = call.recv.as_ref()?;
        // `renderer = Redcarpet::Markdown.new(…)`
        let made = match &recv.kind {
            Kind::Local(variable) => {
                let mut from = scope.reaching(*variable, recv.span).0.into_iter();
                match (from.next(), from.next()) {
                    (Some(From::Value(value)), None) => value,
                    _ => return None,
                }
            }
            _ => recv,
        };
        let (path, new) = match &made.kind {
            Kind::Const(path) => (path, None),
            Kind::Call(new) => match &new.recv {
                Some(Node { kind: Kind::Const(path), .. }) => (path, Some(new)),
                _ => return None,
            },
            _ => return None,
        };
        let class = wardroom_rails::path_name(path);
        let first = |call: &'a Call| call.args.first();
        let text = match (class.trim_start_matches("::"), name, new) {
            ("RDoc::Markup" | "RDoc::Markup::ToHtml" | "SM::SimpleMarkup", "convert", _) => first(call),
            (
                "RedCloth" | "BlueCloth" | "RDiscount" | "Maruku" | "Kramdown::Document" | "Markdown"
                | "Textile" | "Discount" | "WikiCloth::Parser" | "Orgmode::Parser" | "RDoc::Markdown",
                "to_html" | "to_s" | "to_xhtml",
                Some(new),
            ) if name != "to_s" || class.as_str() == "Markdown" => first(new),
            ("Redcarpet::Markdown", "render", Some(_)) => first(call),
            ("Redcarpet", "to_html", Some(new)) => first(new),
            ("Rinku", "auto_link", None) => first(call),
            ("Asciidoctor", "convert" | "render", None) => first(call),
            ("CommonMarker", "render_html", None) | ("Commonmarker", "to_html", None) => {
                first(call).filter(|_| {
                    call.args[1..].iter().any(|a| {
                        let words = self.context.source(scope.file, a.span);
                        words.contains("UNSAFE") || words.contains("unsafe: true")
                    })
                })
            }
            _ => None,
        }?;
        // What is told to filter does so; the words may stand with a renderer of the application's own.
        let text_of_file = &self.context.file(scope.file).text;
        let filters = ["filter_html", "escape_html", "safe_mode", "sanitize_html", "restrictions"];
        let filtered = filters.iter().any(|w| text_of_file.windows(w.len()).any(|at| at == w.as_bytes()));
        (!filtered).then_some(text)
    }
}
