//! The same answers by looking at every record, written without the index in mind.

use serde_json::Value;
use wardroom_desk::query::{Order, Query, Term, Test};
use wardroom_desk::{Millis, Record, Running, Viewer};

use crate::synthetic::DAY;

/// Whether somebody may see a record and a search finds it.
pub fn found(record: &Record, query: &Query, viewer: &Viewer, now: Millis) -> bool {
    let inside: Vec<String> = query
        .terms
        .iter()
        .filter(|t| t.key == "in")
        .flat_map(|t| &t.tests)
        .map(|t| t.to_string().trim_matches('"').to_owned())
        .collect();
    (viewer.sees_confidential || !record.confidential)
        && query.terms.iter().all(|t| holds(record, t, &inside, viewer, now) != t.negated)
}

fn holds(record: &Record, term: &Term, inside: &[String], viewer: &Viewer, now: Millis) -> bool {
    match term.key.as_str() {
        "" => {
            let (value, whole) = match &term.tests[0] {
                Test::Exact(v) => (v, true),
                Test::Is(v) => (v, false),
                _ => unreachable!(),
            };
            (inside.is_empty() && record.id.to_string().eq_ignore_ascii_case(value))
                || worded(record, value, whole, inside)
        }
        "sort" | "group" | "in" => !term.negated,
        key => term.tests.iter().any(|test| test_holds(record, key, test, viewer, now)),
    }
}

const WORDED: [&str; 11] = [
    "title",
    "rule",
    "cwe",
    "repository",
    "file",
    "function",
    "handler",
    "endpoint",
    "parameter",
    "engine",
    "remedy",
];
const WORDED_REPORT: [&str; 3] = ["title", "description", "asset"];

fn worded(record: &Record, value: &str, whole: bool, inside: &[String]) -> bool {
    let wanted: Vec<String> = value
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect();
    let names: &[&str] = if record.kind == "report" { &WORDED_REPORT } else { &WORDED };
    let mut words: Vec<String> = Vec::new();
    for name in names.iter().filter(|n| inside.is_empty() || inside.iter().any(|i| i == *n)) {
        for run in record.text(name).split(|c: char| !c.is_alphanumeric()) {
            words.push(run.to_lowercase());
            // The made-up texts are ASCII: a part begins with a capital.
            let mut part = String::new();
            for (at, c) in run.char_indices() {
                let before = run[..at].chars().last();
                let after = run[at..].chars().nth(1);
                if c.is_uppercase()
                    && before.is_some_and(|b| !b.is_uppercase() || after.is_some_and(char::is_lowercase))
                {
                    words.push(std::mem::take(&mut part));
                }
                part.extend(c.to_lowercase());
            }
            words.push(part);
        }
    }
    wanted.iter().all(|wanted| {
        let whole = whole || wanted.chars().count() == 1;
        words.iter().any(|w| if whole { w == wanted } else { w.starts_with(wanted) })
    })
}

fn level(word: &str) -> Option<usize> {
    ["info", "low", "medium", "high", "critical"].iter().position(|l| *l == word)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(n) => n.as_f64().unwrap().to_string(),
        _ => String::new(),
    }
}

fn test_holds(record: &Record, key: &str, test: &Test, viewer: &Viewer, now: Millis) -> bool {
    let plain = match test {
        Test::Is(v) | Test::Exact(v) | Test::Prefix(v) => v.to_lowercase(),
        _ => String::new(),
    };
    let prefix = matches!(test, Test::Prefix(_));
    let same = |value: &str| {
        let value = value.to_lowercase();
        if prefix { value.starts_with(&plain) } else { value == plain }
    };
    let due = record.clocks.values().filter_map(|c| c.due()).min();
    let value = record.fields.get(key).map(text_of).filter(|v| !v.is_empty());
    match key {
        "is" => match plain.as_str() {
            "open" => record.open,
            "closed" => !record.open,
            "clock" => {
                let (name, state) = plain.split_once('/').unwrap_or((&plain, ""));
                record.clocks.get(name).is_some_and(|c| match (c.running, state) {
                    (_, "") => true,
                    (Running::Running, "running") => c.due >= now,
                    (Running::Running, "late") => c.due < now,
                    (Running::Stopped { at }, "met") => at <= c.due,
                    (Running::Stopped { at }, "missed") => at > c.due,
                    (Running::Paused { .. }, "paused") => true,
                    _ => false,
                })
            }
            "late" => due.is_some_and(|d| d < now),
            "confidential" => record.confidential,
            "reopened" => record.reopened > 0,
            "present" => record.seen.values().any(|s| s.present),
            _ => !record.seen.is_empty() && !record.seen.values().any(|s| s.present),
        },
        "clock" => {
            let (name, state) = plain.split_once('/').unwrap_or((&plain, ""));
            record.clocks.get(name).is_some_and(|c| match (c.running, state) {
                (_, "") => true,
                (Running::Running, "running") => c.due >= now,
                (Running::Running, "late") => c.due < now,
                (Running::Stopped { at }, "met") => at <= c.due,
                (Running::Stopped { at }, "missed") => at > c.due,
                (Running::Paused { .. }, "paused") => true,
                _ => false,
            })
        }
        "late" => due.is_some_and(|d| d < now) == (plain == "yes"),
        "has" => has(record, &plain),
        "no" => !has(record, &plain),
        "kind" => same(&record.kind),
        "state" => same(&record.state),
        "label" => record.labels.iter().any(|l| same(l)),
        "mentions" if plain == "@me" => record.mentioned.iter().any(|l| Some(l) == viewer.login.as_ref()),
        "mentions" => record.mentioned.iter().any(|l| same(l)),
        "link" => record.links.iter().any(|l| same(&l.relation)),
        "branch" => record.seen.iter().any(|(b, s)| s.present && same(b)),
        "id" => record.id.to_string().to_lowercase() == plain,
        "owner" if plain == "@me" => viewer.login.is_some() && value == viewer.login,
        "team" if plain == "@team" => viewer.team.is_some() && value == viewer.team,
        "exposed" => value.is_some_and(|v| v == plain.replace("false", "no").replace("true", "yes")),
        "owner" | "team" | "dismissal" | "duplicate_of" => value.is_some_and(|v| same(&v)),
        "severity" | "confidence" => value
            .and_then(|v| level(&v))
            .is_some_and(|v| ordered(test, v as f64, |w| level(w).map(|l| l as f64))),
        "reopened" => {
            record.reopened > 0
                && (plain == "yes" || ordered(test, f64::from(record.reopened), |w| w.parse().ok()))
        }
        "line" | "score" | "priority" | "bounty" => {
            value.is_some_and(|v| ordered(test, v.parse().unwrap(), |w| w.parse().ok()))
        }
        "age" | "opened" => moment(test, Some(record.opened), now, false),
        "updated" => moment(test, Some(record.updated), now, false),
        "entered" => moment(test, Some(record.entered), now, false),
        "closed" => moment(test, record.closed, now, false),
        "due" => moment(test, due, now, true),
        "until" => value.is_some_and(|v| date(test, &v)),
        "title" => worded(record, &plain, matches!(test, Test::Exact(_)), &["title".to_owned()]),
        "rule" | "repository" | "file" | "function" | "handler" | "endpoint" | "cwe" | "asset"
        | "parameter" => value.is_some_and(|v| {
            let part = matches!(test, Test::Is(_)) && plain.chars().all(char::is_alphanumeric);
            same(&v) || (part && v.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|p| p == plain))
        }),
        other => panic!("{other}"),
    }
}

fn has(record: &Record, name: &str) -> bool {
    match name {
        "comments" => record.comments > 0,
        "files" => record.files > 0,
        "evidence" => record.evidence.is_some(),
        "links" => !record.links.is_empty(),
        "label" => !record.labels.is_empty(),
        "due" => record.due().is_some(),
        "closed" => record.closed.is_some(),
        field => record.fields.get(field).is_some_and(|v| !text_of(v).is_empty()),
    }
}

fn ordered(test: &Test, value: f64, read: impl Fn(&str) -> Option<f64>) -> bool {
    match test {
        Test::Is(v) | Test::Exact(v) => read(v) == Some(value),
        Test::Compare(order, v) => read(v).is_some_and(|v| compare(*order, value, v)),
        Test::Between(a, b) => {
            (a.is_empty() || read(a).is_some_and(|a| value >= a))
                && (b.is_empty() || read(b).is_some_and(|b| value <= b))
        }
        Test::Prefix(_) => false,
    }
}

fn compare<T: PartialOrd>(order: Order, value: T, with: T) -> bool {
    match order {
        Order::Below => value < with,
        Order::AtMost => value <= with,
        Order::Above => value > with,
        Order::AtLeast => value >= with,
    }
}

/// Lengths by whole units; dates by the text of the day in Berlin, cut to what was written.
fn moment(test: &Test, at: Option<Millis>, now: Millis, ahead: bool) -> bool {
    let Some(at) = at else { return false };
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let day = jiff::Timestamp::from_millisecond(at).unwrap().to_zoned_datetime(zone).date().to_string();
    let elapsed = if ahead { at - now } else { now - at };
    timed(test, |n, unit| Some(elapsed.div_euclid(unit).cmp(&n)), &day)
}

fn date(test: &Test, value: &str) -> bool {
    let today: jiff::civil::Date = "2026-11-27".parse().unwrap();
    let day: jiff::civil::Date = value.parse().unwrap();
    let days = i64::from((day - today).get_days());
    timed(test, |n, unit| Some(days.div_euclid(unit / DAY).cmp(&n)), value)
}

fn timed(test: &Test, length: impl Fn(i64, Millis) -> Option<std::cmp::Ordering>, day: &str) -> bool {
    let against = |text: &str| -> std::cmp::Ordering {
        for (unit, ms) in [("h", DAY / 24), ("d", DAY), ("w", 7 * DAY)] {
            if let Some(n) = text.strip_suffix(unit) {
                return length(n.parse().unwrap(), ms).unwrap();
            }
        }
        let text = if text == "today" { "2026-11-27" } else { text };
        day[..text.len()].cmp(text)
    };
    match test {
        Test::Is(v) | Test::Exact(v) => against(v).is_eq(),
        Test::Compare(Order::Below, v) => against(v).is_lt(),
        Test::Compare(Order::AtMost, v) => against(v).is_le(),
        Test::Compare(Order::Above, v) => against(v).is_gt(),
        Test::Compare(Order::AtLeast, v) => against(v).is_ge(),
        Test::Between(a, b) => (a.is_empty() || against(a).is_ge()) && (b.is_empty() || against(b).is_le()),
        Test::Prefix(_) => false,
    }
}
