//! What one program says otherwise than another, in words.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Program;

/// One thing that two programs say differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The kind, or `program` for what holds for all.
    pub kind: String,
    /// What: ``transition `dismiss`, who``.
    pub what: String,
    /// What the first says; none where it says nothing.
    pub before: Option<String>,
    /// What the second says; none where it says nothing.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.what)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, ": {before} → {after}"),
            (None, Some(after)) if after.is_empty() => write!(f, " is new"),
            (None, Some(after)) => write!(f, " is new: {after}"),
            (Some(_), None) => write!(f, " is gone"),
            (None, None) => Ok(()),
        }
    }
}

/// What the second program says otherwise than the first: what holds for all first, then by kind, in
/// the order of the files. Examples and comments make no difference.
pub fn diff(old: &Program, new: &Program) -> Vec<Difference> {
    let mut found = Found { kind: "program".to_owned(), list: Vec::new() };
    found.compare("", &whole(old), &whole(new));
    let mut names: Vec<&String> = old.kinds.keys().chain(new.kinds.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let json = |program: &Program| program.kinds.get(name).and_then(|k| serde_json::to_value(k).ok());
        found.kind.clone_from(name);
        match (json(old), json(new)) {
            (Some(before), Some(after)) => found.compare("", &before, &after),
            (Some(before), None) => found.add("the kind", Some(brief(&before)), None),
            (None, Some(after)) => found.add("the kind", None, Some(brief(&after))),
            (None, None) => {}
        }
    }
    found.list
}

fn whole(program: &Program) -> Value {
    let calendar = &program.calendar;
    json!({
        "name": program.name,
        "time zone": calendar.zone.iana_name().unwrap_or("UTC"),
        "holidays": calendar.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "working days": calendar.working.iter().map(|d| format!("{d:?}").to_lowercase()).collect::<Vec<_>>(),
        "roles": program.policies.roles,
        "identity": program.policies.identity,
    })
}

struct Found {
    kind: String,
    list: Vec<Difference>,
}

impl Found {
    fn add(&mut self, what: &str, before: Option<String>, after: Option<String>) {
        self.list.push(Difference { kind: self.kind.clone(), what: what.to_owned(), before, after });
    }

    fn compare(&mut self, what: &str, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        match (before, after) {
            (Value::Object(b), Value::Object(a)) if !tagged(b) && !tagged(a) => {
                for (name, value) in a {
                    self.compare(&under(what, name), b.get(name).unwrap_or(&Value::Null), value);
                }
                for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                    self.compare(&under(what, name), value, &Value::Null);
                }
            }
            (Value::Array(b), Value::Array(a)) if named(b) && named(a) => self.lists(what, b, a),
            (Value::Array(b), Value::Array(a)) if rules(b) && rules(a) => self.rules(what, b, a),
            _ => {
                let shown = |v: &Value| (!v.is_null()).then(|| words(v));
                self.add(what, shown(before), shown(after));
            }
        }
    }

    /// Things with names: which came, which went, which changed, and whether their order did.
    fn lists(&mut self, what: &str, before: &[Value], after: &[Value]) {
        let one = singular(what);
        for thing in after {
            let what = format!("{one} `{}`", name(thing));
            match before.iter().find(|b| name(b) == name(thing)) {
                Some(was) => self.compare(&what, was, thing),
                None => self.add(&what, None, Some(brief(thing))),
            }
        }
        for thing in before.iter().filter(|b| !after.iter().any(|a| name(a) == name(b))) {
            self.add(&format!("{one} `{}`", name(thing)), Some(brief(thing)), None);
        }
        let order = |list: &[Value], other: &[Value]| -> Vec<String> {
            let stays = |v: &&Value| other.iter().any(|o| name(o) == name(v));
            list.iter().filter(stays).map(|v| name(v).to_owned()).collect()
        };
        let (was, is) = (order(before, after), order(after, before));
        if was != is {
            self.add(&format!("order of {what}"), Some(was.join(", ")), Some(is.join(", ")));
        }
    }

    /// Rules without names: by their place, for the first that holds counts.
    fn rules(&mut self, what: &str, before: &[Value], after: &[Value]) {
        for index in 0..before.len().max(after.len()) {
            let (b, a) = (before.get(index), after.get(index));
            if b != a {
                self.add(&format!("{what}, rule {}", index + 1), b.map(rule), a.map(rule));
            }
        }
    }
}

fn under(what: &str, name: &str) -> String {
    let name = match name {
        "needs_reason" => "reason",
        "needs_evidence" => "evidence",
        other => other,
    };
    let name = name.replace('_', " ");
    if what.is_empty() { name } else { format!("{what}, {name}") }
}

fn singular(what: &str) -> &str {
    what.strip_suffix('s').unwrap_or(what)
}

fn name(thing: &Value) -> &str {
    thing["name"].as_str().unwrap_or_default()
}

fn named(list: &[Value]) -> bool {
    list.iter().all(|v| v["name"].is_string())
}

fn rules(list: &[Value]) -> bool {
    list.iter().all(|v| v["because"].is_string())
}

fn rule(rule: &Value) -> String {
    let when = rule["when"].as_str().map_or_else(|| "always".to_owned(), |w| format!("when {w}"));
    format!("{} {when} ({})", rule["priority"], rule["because"].as_str().unwrap_or_default())
}

/// A value of a Rust enum, which is shown as a whole.
fn tagged(map: &Map<String, Value>) -> bool {
    map.len() == 1
        && map.keys().all(|k| k.starts_with(char::is_uppercase) || ["open", "move"].contains(&k.as_str()))
        || map.len() == 1 && ["choice", "record"].iter().any(|k| map.contains_key(*k))
}

/// What a thing is, in a few words: what its name does not say.
fn brief(thing: &Value) -> String {
    let parts = ["type", "from", "to", "who", "due", "search", "summary", "help"];
    let found = parts.iter().filter_map(|part| {
        let text = thing.get(*part).filter(|v| !v.is_null()).map(words)?;
        (!["", "nothing", "no"].contains(&text.as_str())).then(|| format!("{part} {text}"))
    });
    found.take(4).collect::<Vec<_>>().join("; ")
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        // A pair: a value and its period, a field and where it comes from.
        Value::Array(items) => match items.as_slice() {
            [Value::Array(_), ..] => items.iter().map(pair).collect::<Vec<_>>().join(", "),
            _ => items.iter().map(words).collect::<Vec<_>>().join(", "),
        },
        Value::Object(map) => {
            match map.iter().next() {
                Some((tag, inner))
                    if map.len() == 1 && ["Fixed", "choice", "record"].contains(&tag.as_str()) =>
                {
                    if tag == "Fixed" { words(inner) } else { format!("{tag} ({})", words(inner)) }
                }
                Some((tag, inner)) if tag == "ByField" => {
                    format!("by {}: {}", words(&inner[0]), words(&inner[1]))
                }
                _ => map
                    .iter()
                    .map(|(k, v)| format!("{} {}", k.replace('_', " "), words(v)))
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        }
    }
}

fn pair(value: &Value) -> String {
    match value.as_array().map(Vec::as_slice) {
        Some([left, right]) => format!("{} {}", words(left), words(right)),
        _ => words(value),
    }
}
