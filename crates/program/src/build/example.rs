//! The examples of a kind: whether they name what exists.

use serde_json::Value;

use super::{Around, all_known, entries, flag, known, period, roles};
use crate::problem::{At, Problems, crop, instead};
use crate::read::{Scalar, Words};
use crate::{Example, Expected, ExpectedDue, Facts, FieldType, Kind, names, raw};

/// The examples of one kind.
pub fn all(raw: &raw::Kind, kind: &Kind, around: &Around<'_>, problems: &mut Problems) -> Vec<Example> {
    let states: Vec<&str> = kind.states.iter().map(|s| s.name.as_str()).collect();
    let mut examples = Vec::new();
    for example in raw.examples.as_deref().unwrap_or_default() {
        if let Some(state) = &example.state {
            known("state", state, states.iter().copied(), problems);
        }
        let passed =
            example.passed.as_ref().map(|p| all_known("state", &Words(p.clone()), &states, problems));
        if let Some(role) = &example.role {
            roles(&Words(vec![role.clone()]), around, problems);
        }
        if let Some(today) = &example.today
            && today.text().parse::<jiff::civil::Date>().is_err()
        {
            problems.about(today, format!("`{}` is no date: write 2026-11-27", crop(today.text())), None);
        }
        let first = states.first().copied().unwrap_or_default();
        examples.push(Example {
            name: example.name.value.clone(),
            file: problems.file.to_owned(),
            line: example.name.place.line,
            state: example.state.as_ref().map_or_else(|| first.to_owned(), |s| s.value.clone()),
            passed: passed.unwrap_or_else(|| vec![first.to_owned()]),
            fields: fields(kind, example, problems),
            labels: example.labels.iter().flatten().map(|l| l.value.clone()).collect(),
            age: example.age.as_ref().map_or(0, |a| days(a.value)),
            today: example.today.as_ref().map_or_else(|| "2026-01-01".to_owned(), |t| t.value.clone()),
            present: example.present.is_none() || flag(example.present.as_ref()),
            role: example.role.as_ref().map_or_else(|| names::ENGINE.to_owned(), |r| r.value.clone()),
            caller: example.caller.as_ref().map(|c| c.value.clone()),
            expect: expected(kind, &example.expect, problems),
        });
    }
    examples
}

#[expect(clippy::cast_possible_truncation, reason = "a float that is too long becomes the longest number")]
fn days(number: f64) -> i64 {
    number as i64
}

fn fields(kind: &Kind, example: &raw::Example, problems: &mut Problems) -> Facts {
    let mut facts = Facts::new();
    for (name, Scalar(value)) in entries(example.fields.as_ref()) {
        if !known("field", name, kind.fields.iter().map(|f| f.name.as_str()), problems) {
            continue;
        }
        if let Some(field) = kind.field(name.text())
            && let Some(help) = refused(&field.kind, &value.value)
        {
            let shown = value.value.as_str().map_or_else(|| value.value.to_string(), crop);
            problems.about(value, format!("`{}` does not take `{shown}`", name.value), Some(help));
        }
        facts.insert(name.value.clone(), value.value.clone());
    }
    facts
}

/// What a field takes instead of a value; none where it takes that.
fn refused(kind: &FieldType, value: &Value) -> Option<String> {
    match (kind, value) {
        (_, Value::Null) | (FieldType::Number, Value::Number(_)) | (FieldType::Flag, Value::Bool(_)) => None,
        (FieldType::Number, _) => Some("a number is needed".to_owned()),
        (FieldType::Flag, _) => Some("true or false is needed".to_owned()),
        (FieldType::Date, Value::String(text)) => {
            text.parse::<jiff::civil::Date>().is_err().then(|| "write a date as 2026-11-27".to_owned())
        }
        (kind, Value::String(text)) => {
            let values = names::values(kind)?;
            if values.contains(&text.as_str()) { None } else { instead(text, values) }
        }
        _ => Some("a text is needed; put it in quotes".to_owned()),
    }
}

fn expected(kind: &Kind, expect: &raw::Expect, problems: &mut Problems) -> Expected {
    let ways: Vec<&str> = kind.transitions.iter().map(|t| t.name.as_str()).collect();
    let list = |words: &Option<Words>, problems: &mut Problems| {
        words.as_ref().map_or_else(Vec::new, |w| all_known("transition", w, &ways, problems))
    };
    let can = list(&expect.can, problems);
    let barred = list(&expect.barred, problems);
    let mut clocks = Vec::new();
    for (name, at) in entries(expect.due.as_ref()) {
        known("clock", name, kind.clocks.iter().map(|c| c.name.as_str()), problems);
        clocks.extend(due(at, problems).map(|due| (name.value.clone(), due)));
    }
    let priority = expect.priority.as_ref().and_then(|at| {
        let found = [1_u8, 2, 3, 4].into_iter().find(|p| f64::from(*p) == at.value);
        if found.is_none() {
            problems.about(at, format!("`{}` is no priority", at.value), None);
        }
        found
    });
    let because = expect.because.as_ref().map(|b| b.value.clone());
    let mut computed = Facts::new();
    for (name, Scalar(value)) in entries(expect.computed.as_ref()) {
        let fields = kind.fields.iter().filter(|f| f.compute.is_some() || f.gather.is_some());
        if known("computed field", name, fields.map(|f| f.name.as_str()), problems) {
            computed.insert(name.value.clone(), value.value.clone());
        }
    }
    Expected { priority, because, due: clocks, computed, can, barred }
}

fn due(at: &At<String>, problems: &mut Problems) -> Option<ExpectedDue> {
    match at.text() {
        "none" => Some(ExpectedDue::None),
        "paused" => Some(ExpectedDue::Paused),
        "stopped" => Some(ExpectedDue::Stopped),
        _ => period(at, problems).map(ExpectedDue::Runs),
    }
}
