//! Whether values are what their fields take.

use serde_json::{Value, json};
use wardroom_model::{Confidence, Severity};
use wardroom_program::{Field, FieldType, Kind};

use crate::{Cvss, Fields, Record, RecordId, Refused};

/// What exists beside the record in hand.
pub trait World {
    /// Whether somebody has this login and works here.
    fn person(&self, login: &str) -> bool;
    /// Whether somebody is of this team.
    fn team(&self, name: &str) -> bool;
    /// The kind of a record that exists.
    fn kind_of(&self, id: &RecordId) -> Option<String>;
}

/// Longest text of one line, in characters.
const LINE: usize = 400;
/// Longest text of many lines, in characters.
const TEXT: usize = 64 * 1024;
/// Longest label, in characters; and most of them at once.
const LABEL: usize = 80;
const LABELS: usize = 50;

/// Fields of a kind with values in their proper form; null for what is taken away.
pub fn fields(kind: &Kind, world: &dyn World, fields: Fields, engine: bool) -> Result<Fields, Refused> {
    let mut checked = Fields::new();
    for (name, value) in fields {
        let Some(field) = kind.field(&name) else {
            let names = kind.fields.iter().filter(|f| engine || !f.engine).map(|f| f.name.as_str());
            let near = nearest(&name, names).map_or(String::new(), |n| format!("; perhaps `{n}` is meant"));
            return Err(Refused::invalid(&name, format!("a {} has no such field{near}", kind.name)));
        };
        if field.engine && !engine {
            return Err(Refused::invalid(&name, format!("{} is set by engines only", field.title)));
        }
        let value = self::value(field, world, value)
            .map_err(|problem| Refused::Invalid { field: name.clone(), problem })?;
        checked.insert(name, value);
    }
    Ok(checked)
}

/// One value, in its proper form.
fn value(field: &Field, world: &dyn World, value: Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(value);
    }
    match &field.kind {
        FieldType::Number => match value {
            Value::Number(_) => Ok(value),
            Value::String(s) if s.trim().is_empty() => Ok(Value::Null),
            Value::String(s) => {
                let number = s.trim().parse::<f64>().ok().filter(|n| n.is_finite());
                number.map(|n| json!(n)).ok_or_else(|| "a number is needed".to_owned())
            }
            _ => Err("a number is needed".to_owned()),
        },
        FieldType::Flag => match value.as_str() {
            _ if value.is_boolean() => Ok(value),
            Some("true" | "on" | "yes") => Ok(json!(true)),
            Some("false" | "off" | "no" | "") => Ok(json!(false)),
            _ => Err("true or false is needed".to_owned()),
        },
        kind => {
            let Value::String(text) = value else { return Err("a text is needed".to_owned()) };
            let text = if *kind == FieldType::Markdown { text } else { text.trim().to_owned() };
            if text.is_empty() {
                return Ok(Value::Null);
            }
            self::text(kind, world, text).map(Value::String)
        }
    }
}

fn text(kind: &FieldType, world: &dyn World, text: String) -> Result<String, String> {
    let long = if *kind == FieldType::Markdown { TEXT } else { LINE };
    if text.chars().count() > long {
        return Err(format!("at most {long} characters fit"));
    }
    let plain =
        |c: char| !c.is_control() || (*kind == FieldType::Markdown && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(plain) {
        return Err("control characters are not allowed".to_owned());
    }
    match kind {
        FieldType::Word if text.contains(char::is_whitespace) => Err("one word is needed".to_owned()),
        FieldType::Choice(choices) if !choices.contains(&text) => {
            Err(format!("`{text}` is none of {}", choices.join(", ")))
        }
        FieldType::Severity => text.parse::<Severity>().map(|s| s.to_string()).map_err(|e| e.to_string()),
        FieldType::Confidence => text.parse::<Confidence>().map(|c| c.to_string()).map_err(|e| e.to_string()),
        FieldType::Date => text
            .parse::<jiff::civil::Date>()
            .map(|d| d.to_string())
            .map_err(|_| format!("`{text}` is no date: write 2026-11-27")),
        FieldType::Person => {
            let login = text.trim_start_matches('@');
            if world.person(login) {
                Ok(login.to_owned())
            } else {
                Err(format!("nobody here is called `{login}`"))
            }
        }
        FieldType::Team if !world.team(&text) => Err(format!("nobody here is of a team `{text}`")),
        FieldType::Cvss => text.parse::<Cvss>().map(|c| c.vector()).map_err(|e| e.to_string()),
        FieldType::Url => {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            if host.is_some_and(|h| !h.is_empty() && !h.starts_with('/') && !h.contains(char::is_whitespace))
            {
                Ok(text)
            } else {
                Err("an address that begins with https:// is needed".to_owned())
            }
        }
        FieldType::Record(wanted) => {
            let id: RecordId = text.parse().map_err(|e: crate::NoId| e.to_string())?;
            let found = world.kind_of(&id).ok_or_else(|| format!("there is no record {id}"))?;
            match wanted {
                Some(wanted) if *wanted != found => Err(format!("{id} is a {found}; a {wanted} is needed")),
                _ => Ok(id.to_string()),
            }
        }
        _ => Ok(text),
    }
}

/// Labels in their proper form.
pub fn labels(kind: &Kind, labels: Vec<String>) -> Result<Vec<String>, Refused> {
    if labels.len() > LABELS {
        return Err(Refused::invalid("labels", format!("at most {LABELS} at once")));
    }
    let mut checked = Vec::new();
    for label in labels {
        let label = label.trim().to_lowercase();
        let known = kind.labels.iter().any(|l| l.name == label);
        let fits = !label.is_empty()
            && label.chars().count() <= LABEL
            && label.chars().all(|c| c.is_alphanumeric() || "-_:./ ".contains(c));
        if !fits {
            return Err(Refused::invalid(
                "labels",
                format!("`{}` is no label: letters, digits, spaces and -_:./, at most {LABEL}", crop(&label)),
            ));
        }
        if !known && !kind.open_labels {
            let near = nearest(&label, kind.labels.iter().map(|l| l.name.as_str()));
            let near = near.map_or(String::new(), |n| format!("; perhaps `{n}` is meant"));
            return Err(Refused::invalid("labels", format!("a {} has no label `{label}`{near}", kind.name)));
        }
        if !checked.contains(&label) {
            checked.push(label);
        }
    }
    Ok(checked)
}

/// Whether a record may be tied to another.
pub fn link(
    kind: &Kind,
    world: &dyn World,
    record: &Record,
    relation: &str,
    to: &RecordId,
) -> Result<(), Refused> {
    let Some(link) = kind.links.iter().find(|l| l.name == relation) else {
        return Err(Refused::invalid(
            "relation",
            format!("a {} has no link `{}`", kind.name, crop(relation)),
        ));
    };
    if to.no == record.id.no {
        return Err(Refused::invalid("to", "a record cannot be tied to itself"));
    }
    let found =
        world.kind_of(to).ok_or_else(|| Refused::invalid("to", format!("there is no record {to}")))?;
    match &link.to {
        Some(wanted) if *wanted != found => {
            Err(Refused::invalid("to", format!("{to} is a {found}; `{relation}` leads to a {wanted}")))
        }
        _ => Ok(()),
    }
}

/// The name that was perhaps meant.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|n| (strsim::damerau_levenshtein(word, n), n))
        .filter(|(distance, n)| *distance <= 1 + n.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, n)| n)
}

fn crop(text: &str) -> String {
    text.chars().take(LABEL).collect()
}
