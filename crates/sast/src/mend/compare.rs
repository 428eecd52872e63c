//! Comparisons that stop early become ones that do not.

use wardroom_rails::FileId;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::{Mend, is_plain, replace};
use crate::context::Context;

/// What a side of a comparison is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A digest made on the spot: always text, never empty.
    Digest,
    /// What a request says: text, nothing, or something else.
    Sent,
    /// What the application holds: text, or nothing.
    Held,
}

/// `sent == held` to `held.present? && ActiveSupport::SecurityUtils.secure_compare(sent.to_s, held)`.
///
/// Two sides that are both missing are equal for `==` and must not become so for empty text, so what
/// the application holds is never turned into text.
pub fn secure_compare(
    context: &Context<'_, '_>,
    file: FileId,
    span: Span,
    call: &Call,
    sides: (Side, Side),
) -> Option<Mend> {
    let (left, right) = (call.recv.as_ref()?, call.args.first()?);
    let whole = context.source(file, span);
    let (l, r) = (context.source(file, left.span), context.source(file, right.span));
    if !matches!(call.name.as_str(), "==" | "!=")
        || context.file(file).is_template()
        || whole.contains('\n')
        || !whole.starts_with(&l)
        || !whole.ends_with(&r)
        || whole.len() != l.len() + r.len() + call.name.len() + 2
    {
        return None;
    }
    let module = if context.app.rails() >= (4, 2) {
        "ActiveSupport::SecurityUtils"
    } else if context.app.rails() >= (3, 0) {
        "Rack::Utils"
    } else {
        return None;
    };
    let text = |node: &Node, source: &str| -> Option<String> {
        let is_text = matches!(&node.kind, Kind::Call(c) if c.name == "to_s" && !c.safe_nav);
        match (is_text, is_plain(context, file, node)) {
            (true, _) => Some(source.to_owned()),
            (false, true) => Some(format!("{source}.to_s")),
            _ => None,
        }
    };
    let sure = |node: &Node| match &node.kind {
        Kind::Const(_) => true,
        Kind::Call(c) => c.name == "fetch" && c.args.len() == 1 || c.name.ends_with('!'),
        _ => false,
    };
    // `crypt(password)` is a digest by itself; a sum of texts is none.
    let (l, r, guard) = match sides {
        (Side::Digest, Side::Digest) => (l, r, None),
        (Side::Digest, _) => (l, text(right, &r)?, None),
        (_, Side::Digest) => (text(left, &l)?, r, None),
        (Side::Sent, Side::Held) => {
            let guard = guard(context, file, right, &r, sure(right))?;
            (text(left, &l)?, r, guard)
        }
        (Side::Held, Side::Sent) => {
            let guard = guard(context, file, left, &l, sure(left))?;
            (l, text(right, &r)?, guard)
        }
        _ => return None,
    };
    let compared = format!("{module}.secure_compare({l}, {r})");
    let new = match (guard, call.name == "!=") {
        (None, false) => compared,
        (None, true) => format!("!{compared}"),
        (Some(guard), false) => format!("{guard} && {compared}"),
        (Some(guard), true) => format!("!({guard} && {compared})"),
    };
    Some(replace("Compares in constant time", file, span, new))
}

/// What has to hold before the held side is compared; the outer `None` where that cannot be said
/// without running code twice.
fn guard(
    context: &Context<'_, '_>,
    file: FileId,
    node: &Node,
    source: &str,
    sure: bool,
) -> Option<Option<String>> {
    if sure {
        return Some(None);
    }
    let cheap = is_plain(context, file, node)
        && match &node.kind {
            Kind::Call(call) => call.args.is_empty() || matches!(call.name.as_str(), "[]" | "fetch"),
            _ => true,
        };
    cheap.then(|| Some(format!("{source}.present?")))
}
