//! Text that is put together: interpolation, concatenation, what a template writes.

use wardroom_ruby::ir::*;

use super::Eval;
use crate::knowledge::{Mark, Marks};
use crate::path::What;
use crate::prefix::cleared_by_prefix;
use crate::value::{Shape, Taints, Value, join_taints, map_taints};

/// The text of a part that is written in the code.
fn part_text(part: &Node) -> Option<&str> {
    if let Kind::Str(text) = &part.kind { Some(text) } else { None }
}

impl<'a> Eval<'_, 'a> {
    /// A literal with values in it: text, a command, a pattern, a symbol.
    pub(super) fn interp(&mut self, interp: &'a Interp, span: Span) -> Value {
        if interp.form == Form::Regex
            && let [] | [Node { kind: Kind::Str(_), .. }] = interp.parts.as_slice()
        {
            let text = interp.parts.first().and_then(part_text).unwrap_or_default();
            return Value::shaped(Shape::Pattern(text.into()));
        }
        let mut prefix = String::new();
        let mut known = true;
        let mut fixed = true;
        let mut taints: Taints = None;
        // Something that no user wrote stands in front: the base of a URL, whatever it is.
        let mut based = false;
        let mut asked = false;
        // For which sinks what stands in front makes the rest harmless, where it is no literal.
        let mut covered: Option<Marks> = None;
        for part in &interp.parts {
            let value = self.eval(part);
            fixed &= value.is_fixed();
            let mut here = value.deep_taints();
            if let Some(marks) = covered {
                here = map_taints(&here, |t| t.cleared |= marks);
            } else if prefix.is_empty() && value.as_text().is_none() {
                let start = Marks::of(Mark::Open)
                    | Marks::of(Mark::Argument)
                    | Marks::of(Mark::Constant)
                    | Marks::of(Mark::Method)
                    | Marks::of(Mark::Variable);
                covered = Some(here.iter().flat_map(|t| t.iter()).fold(start, |m, t| m & t.cleared));
            }
            if here.is_some() && !prefix.is_empty() {
                let marks = cleared_by_prefix(&prefix);
                here = map_taints(&here, |t| t.cleared |= marks);
            }
            // Behind a `?` no host is named any more.
            based |= asked;
            asked |= part_text(part).is_some_and(|text| text.contains(['?', '#']));
            if here.is_some() && based {
                let marks = Marks::of(Mark::Redirect) | Marks::of(Mark::Request) | Marks::of(Mark::Url);
                here = map_taints(&here, |t| t.cleared |= marks);
            }
            based |= match value.as_text() {
                // `"#{base}/#{x}"`, `"#{base}?q=#{x}"`; `"https://#{x}"` begins with the code's own text.
                Some(text) => !known && taints.is_none() && text.starts_with(['/', '?', '#']),
                None => {
                    !prefix.contains("://")
                        && taints.is_none()
                        && here.is_none()
                        && matches!(value.shape, Shape::Harmless)
                }
            };
            join_taints(&mut taints, &here);
            match value.as_text() {
                Some(text) if known => prefix.push_str(text),
                _ => known = false,
            }
        }
        let step = self.step(span, What::Built);
        let taints = map_taints(&taints, |t| t.path = t.path.then(step));
        let mark = match interp.form {
            Form::Command => Some((Mark::Command, "`")),
            Form::Regex => Some((Mark::Regex, "//")),
            Form::Sym => Some((Mark::Symbol, ":\"\"")),
            Form::Str => None,
        };
        if let Some((mark, method)) = mark {
            let mut site = self.site(mark, Name::from(method), span);
            site.prefix = (!prefix.is_empty()).then(|| Name::from(prefix.as_str()));
            self.sink(&site, &taints);
            if interp.form != Form::Sym {
                return Value::default();
            }
        }
        let shape = match (known, fixed) {
            (true, _) => Shape::Text(prefix.into()),
            (false, true) => Shape::Harmless,
            _ => Shape::Unknown,
        };
        Value { shape, taints }
    }

    /// One string or list after the other.
    pub fn concatenate(&mut self, left: &Value, right: Value, span: Span) -> Value {
        let mut added = right.deep_taints();
        if matches!(left.shape, Shape::Markup) {
            // A safe buffer escapes what is appended to it, unless that is safe already.
            added = map_taints(&added, |t| t.cleared |= Marks::of(Mark::Html));
        } else if matches!(left.shape, Shape::Harmless) && left.taints.is_none() {
            // `home_url + "?back=" + x`: the host stands in front, whatever it is.
            let marks = Marks::of(Mark::Redirect) | Marks::of(Mark::Request) | Marks::of(Mark::Url);
            added = map_taints(&added, |t| t.cleared |= marks);
        } else if let Some(prefix) = left.as_text().filter(|p| !p.is_empty()) {
            let marks = cleared_by_prefix(prefix);
            added = map_taints(&added, |t| t.cleared |= marks);
        }
        let mut taints = left.deep_taints();
        if !matches!(left.shape, Shape::Array(_)) {
            let step = self.step(span, What::Built);
            added = map_taints(&added, |t| t.path = t.path.then(step));
            if matches!(&right.shape, Shape::Text(text) if !text.is_empty()) {
                taints = map_taints(&taints, |t| t.path = t.path.then(step));
            }
        }
        join_taints(&mut taints, &added);
        let shape = match (&left.shape, &right.shape) {
            (Shape::Text(a), Shape::Text(b)) if a.len() + b.len() < 4096 => {
                Shape::Text(format!("{a}{b}").into())
            }
            (Shape::Array(_), _) => left.shape.clone(),
            (Shape::Markup, _) => Shape::Markup,
            (Shape::Relation(_), _) => left.shape.clone(),
            (a, b)
                if matches!(a, Shape::Text(_) | Shape::Harmless)
                    && matches!(b, Shape::Text(_) | Shape::Harmless | Shape::Markup) =>
            {
                Shape::Harmless
            }
            _ => Shape::Unknown,
        };
        Value { shape, taints }
    }

    /// What a template writes to the page.
    pub(super) fn out(&mut self, out: &'a Out, span: Span) {
        let value = self.eval(&out.value);
        if value.taints.is_none() && !matches!(value.shape, Shape::Array(_) | Shape::Hash(_)) {
            return;
        }
        let markup = matches!(value.shape, Shape::Markup);
        let escaped = match out.escape {
            Escape::NotHtml => return,
            Escape::Raw => false,
            Escape::UnlessSafe => !markup,
            Escape::Always => true,
        };
        let mark = match out.context {
            HtmlContext::NotHtml => return,
            HtmlContext::Script | HtmlContext::ScriptString | HtmlContext::EventHandler => Some(Mark::Script),
            HtmlContext::Style => Some(Mark::Style),
            HtmlContext::UrlStart => Some(Mark::Url),
            HtmlContext::Unquoted => Some(Mark::HtmlAttribute),
            _ => None,
        };
        let method = Name::from(match out.escape {
            Escape::Raw => "raw output",
            _ => "output",
        });
        let taints = value.deep_taints();
        let at = if out.value.span.end > out.value.span.start { out.value.span } else { span };
        if !escaped && out.escape == Escape::Raw {
            let mut site = self.site(Mark::Html, method, at);
            site.context = Some(out.context);
            self.sink(&site, &taints);
            if mark == Some(Mark::Script) {
                return;
            }
        }
        if let Some(mark) = mark {
            // A quoted string in a script is closed by a quote, which escaping takes away; a
            // backslash or a line's end remains, and so does the wrong escape for what follows.
            let mut site = self.site(mark, method, at);
            site.context = Some(out.context);
            self.sink(&site, &taints);
        }
    }
}
