//! Whether what decides about a filter (`if:`, `unless:`) is in the hands of who sends the request.

use wardroom_rails::{App, Condition, FilterDeclaration, literal_name};
use wardroom_ruby::ir::{Call, Kind, Name, Node};

/// How deep own methods of a condition are followed.
const DEPTH: u32 = 4;

/// The part of the request that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A parameter, by its name.
    Parameter(Name),
    /// A cookie that is not sealed.
    Cookie,
    /// A header.
    Header,
    /// The format that is asked for.
    Format,
}

/// What the sender has to do to keep a filter from running.
#[derive(Clone, Copy, Debug)]
pub struct Switch<'a> {
    /// Which part of the request decides.
    pub part: Part,
    /// It is enough to leave the part out.
    pub absent: bool,
    /// Where the condition reads it.
    pub read: &'a Node,
}

/// The switch by which a request keeps a filter from running (for a skip: makes it go away), as far as
/// the condition's own statements show it.
pub fn switch<'a>(filter: &FilterDeclaration<'a>) -> Option<Switch<'a>> {
    switch_of(filter, None)
}

/// The same, through the controller's own methods.
pub fn switch_in<'a>(app: &App<'a>, class: Name, filter: &FilterDeclaration<'a>) -> Option<Switch<'a>> {
    switch_of(filter, Some((app, class)))
}

/// Whether a request alone decides that a filter does not run.
pub fn switched_off(filter: &FilterDeclaration<'_>) -> bool {
    !filter.skip
        && switch(filter).is_some_and(|s| !s.absent && matches!(s.part, Part::Parameter(_) | Part::Cookie))
}

fn switch_of<'a>(filter: &FilterDeclaration<'a>, own: Option<(&App<'a>, Name)>) -> Option<Switch<'a>> {
    let one = |condition: &Condition<'a>| {
        // A filter rests where `if:` fails; a skip takes it away where `if:` holds.
        let wanted = condition.unless != filter.skip;
        force(condition.body?, wanted, own, 0)
    };
    if filter.skip {
        // Of several each has to hold.
        let all: Option<Vec<Switch<'a>>> = filter.conditions.iter().map(one).collect();
        all?.into_iter().next()
    } else {
        filter.conditions.iter().find_map(one)
    }
}

/// How a request makes a condition come out as wanted.
fn force<'a>(node: &'a Node, wanted: bool, own: Option<(&App<'a>, Name)>, depth: u32) -> Option<Switch<'a>> {
    if depth > 12 {
        return None;
    }
    let deeper = |node: &'a Node, wanted: bool| force(node, wanted, own, depth + 1);
    match &node.kind {
        Kind::Seq(items) if items.len() == 1 => deeper(&items[0], wanted),
        Kind::Return(Some(value)) => deeper(value, wanted),
        Kind::Not(inner) => deeper(inner, !wanted),
        Kind::And(sides) if wanted => deeper(&sides.0, true).and(deeper(&sides.1, true)),
        Kind::Or(sides) if !wanted => deeper(&sides.0, false).and(deeper(&sides.1, false)),
        Kind::And(sides) | Kind::Or(sides) => deeper(&sides.0, wanted).or_else(|| deeper(&sides.1, wanted)),
        Kind::Call(call) => asked(node, call, wanted).or_else(|| {
            let (app, class) = own?;
            if call.recv.is_some() || !call.args.is_empty() || depth > DEPTH {
                return None;
            }
            let method = app.index.find(class, call.name)?;
            deeper(app.index.method(method).body, wanted)
        }),
        _ => None,
    }
}

/// A question to the request with an answer that the code fixes.
fn asked<'a>(node: &'a Node, call: &'a Call, wanted: bool) -> Option<Switch<'a>> {
    let found = |part: Part, absent: bool| Some(Switch { part, absent, read: node });
    // The value itself as the condition: there or not.
    if let Some(part) = part(node) {
        return found(part, !wanted);
    }
    let recv = call.recv.as_ref();
    match call.name.as_str() {
        "==" | "!=" | "eql?" | "===" | "=~" | "!~" => {
            let (left, right) = (recv?, call.args.first()?);
            let part = match (part(left), part(right)) {
                (Some(part), None) if literal(right) => part,
                (None, Some(part)) if literal(left) => part,
                _ => return None,
            };
            // What differs from a text is also what is not there; the text itself has to be sent.
            found(part, false)
        }
        "match?" | "match" | "start_with?" | "end_with?" | "in?" | "casecmp?" | "include?"
            if call.args.len() == 1 && literal(&call.args[0]) && part(recv?).is_some() =>
        {
            found(part(recv?)?, false)
        }
        "include?" if literal(recv?) => found(part(call.args.first()?)?, false),
        "present?" | "any?" => found(part(recv?)?, !wanted),
        "blank?" | "nil?" | "empty?" => found(part(recv?)?, wanted),
        "key?" | "has_key?" | "include?" | "member?" if is_params(recv?) => {
            found(parameter(call.args.first().and_then(literal_name)?)?, !wanted)
        }
        "xhr?" | "xml_http_request?" if is_request(recv?) => found(Part::Header, false),
        "json?" | "xml?" | "html?" | "js?" | "csv?" | "pdf?" | "turbo_stream?" | "rss?" | "atom?"
        | "api?"
            if of_request(recv?, "format") =>
        {
            found(Part::Format, false)
        }
        _ => None,
    }
}

/// The part of the request that an expression reads.
fn part(node: &Node) -> Option<Part> {
    let Kind::Call(call) = &node.kind else { return None };
    let recv = call.recv.as_ref();
    match call.name.as_str() {
        "[]" | "fetch" | "dig" | "get_header" => {
            let recv = recv?;
            let key = call.args.first().and_then(literal_name);
            if is_params(recv) || of_request(recv, "params") {
                parameter(key?)
            } else if of_request(recv, "headers")
                || of_request(recv, "env") && key?.starts_with("HTTP_")
                || call.name == "get_header" && is_request(recv)
            {
                Some(Part::Header)
            } else if own(recv, "cookies") {
                Some(Part::Cookie)
            } else {
                // `params[:user][:role]`
                part(recv)
            }
        }
        "to_s" | "strip" | "downcase" | "presence" | "to_sym" | "to_i" | "upcase" | "squish" | "symbol"
        | "ref" | "to_str" | "first" | "last" => part(recv?),
        "format" | "user_agent" | "referer" | "referrer" | "content_type" | "media_type"
            if is_request(recv?) =>
        {
            Some(if call.name == "format" { Part::Format } else { Part::Header })
        }
        _ => None,
    }
}

/// A parameter that the sender chooses: not what the route sets.
fn parameter(key: Name) -> Option<Part> {
    match key.as_str() {
        "action" | "controller" => None,
        "format" => Some(Part::Format),
        _ => Some(Part::Parameter(key)),
    }
}

/// A call on itself, or on the controller that a block is given.
fn own(node: &Node, name: &str) -> bool {
    matches!(&node.kind, Kind::Call(call) if call.name == name && call.args.is_empty()
    && call.recv.as_ref().is_none_or(|r| match &r.kind {
        Kind::Local(_) | Kind::SelfRef => true,
        Kind::Call(inner) => inner.recv.is_none() && inner.name == "controller",
        _ => false,
    }))
}

fn is_params(node: &Node) -> bool {
    own(node, "params")
}

fn is_request(node: &Node) -> bool {
    own(node, "request")
}

fn of_request(node: &Node, name: &str) -> bool {
    matches!(&node.kind, Kind::Call(call) if call.name == name && call.recv.as_ref().is_some_and(is_request))
}

/// Whether the code itself writes a value down. A constant may hold a secret.
fn literal(node: &Node) -> bool {
    match &node.kind {
        Kind::Str(_) | Kind::Sym(_) | Kind::Int(_) | Kind::True | Kind::False | Kind::Nil => true,
        Kind::Array(items) => items.iter().all(literal),
        Kind::Interp(interp) => {
            interp.form == wardroom_ruby::ir::Form::Regex && interp.parts.iter().all(literal)
        }
        Kind::Call(call) => call.name == "freeze" && call.recv.as_ref().is_some_and(literal),
        _ => false,
    }
}
