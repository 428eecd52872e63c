//! Clocks and rules of priority: whether they name what exists, and whether each can ever hold.

use super::{all_known, condition, entries, known, named, period, title};
use crate::asks::Scope;
use crate::problem::{At, Problems, crop, instead};
use crate::{ClockRule, Due, Field, FieldType, Period, PriorityRule, names, raw};

/// The clocks of a kind.
pub fn clocks(
    raw: &raw::Kind,
    fields: &[Field],
    states: &[&str],
    scope: &Scope,
    problems: &mut Problems,
) -> Vec<ClockRule> {
    let mut clocks = Vec::new();
    for (name, clock) in entries(raw.clocks.as_ref()) {
        named(name, problems);
        clocks.push(ClockRule {
            name: name.value.clone(),
            title: title(clock.title.as_ref(), name.text()),
            starts: all_known("state", &clock.starts, states, problems),
            stops: all_known("state", &clock.stops, states, problems),
            paused: condition(clock.paused.as_ref(), scope, problems),
            due: due(name, clock, fields, problems),
        });
    }
    clocks
}

fn due(name: &At<String>, clock: &raw::Clock, fields: &[Field], problems: &mut Problems) -> Due {
    let nothing = Due::Fixed(Period::Days(0));
    match (&clock.due, &clock.by) {
        (raw::Due::Fixed(at), by) => {
            if let Some(by) = by {
                problems.about(by, "a clock `by` a field needs a period for each value in `due`", None);
            }
            period(at, problems).map_or(nothing, Due::Fixed)
        }
        (raw::Due::Table(_), None) => {
            let message = format!("the clock `{}` does not say by which field it runs", crop(name.text()));
            problems.about(name, message, Some("add `by: severity`".to_owned()));
            nothing
        }
        (raw::Due::Table(table), Some(by)) => {
            let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            known("field", by, names, problems);
            let field = fields.iter().find(|f| f.name == by.value);
            if let Some(field) = field.filter(|f| matches!(f.kind, FieldType::Number | FieldType::Flag)) {
                problems.about(
                    by,
                    format!("`{}` holds no word by which a clock could run", field.name),
                    None,
                );
            }
            let values = field.and_then(|f| names::values(&f.kind));
            let mut rows = Vec::new();
            for (value, at) in &table.0 {
                if let Some(values) = &values
                    && !values.contains(&value.text())
                {
                    let help = instead(value.text(), values.iter().copied());
                    problems.about(value, format!("`{}` is never `{}`", by.value, crop(value.text())), help);
                }
                rows.extend(period(at, problems).map(|p| (value.value.clone(), p)));
            }
            Due::ByField(by.value.clone(), rows)
        }
    }
}

/// The rules of priority of a kind.
pub fn priority(raw: &raw::Kind, scope: &Scope, problems: &mut Problems) -> Vec<PriorityRule> {
    let given = raw.priority.as_deref().unwrap_or_default();
    // The desk writes what comes of the rules into these.
    for needed in ["priority", "priority_because"] {
        if let Some(first) = given.first()
            && raw.fields.names().all(|n| n != needed)
        {
            problems.about(&first.priority, format!("rules of priority need a field `{needed}`"), None);
        }
    }
    let mut rules = Vec::new();
    for (index, rule) in given.iter().enumerate() {
        let number = rule.priority.value;
        let priority = [1_u8, 2, 3, 4].into_iter().find(|p| f64::from(*p) == number);
        if priority.is_none() {
            let help = "1 is the most urgent, 4 the least".to_owned();
            problems.about(&rule.priority, format!("`{number}` is no priority"), Some(help));
        }
        if rule.when.is_none() && index + 1 < given.len() {
            problems.about(&rule.priority, "this rule always holds, so the rules after it never do", None);
        }
        rules.push(PriorityRule {
            priority: priority.unwrap_or(4),
            when: condition(rule.when.as_ref(), scope, problems),
            because: rule.because.value.clone(),
        });
    }
    rules
}
