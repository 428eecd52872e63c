//! Runs the examples that kinds carry: what the rules of priority, the clocks and the transitions
//! make of a record, against what the file says must come of it.

use jiff::ToSpan;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{ClockRule, Due, Facts, Ground, Kind, Period, Program, Transition};

/// A record, with what the kind's rules must make of it.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The state that the record is in.
    pub state: String,
    /// The states that it has been in before.
    pub passed: Vec<String>,
    /// What it holds.
    pub fields: Facts,
    /// Its labels.
    pub labels: Vec<String>,
    /// Days since it was opened.
    pub age: i64,
    /// The day on which it is looked at.
    pub today: String,
    /// An engine still sees it.
    pub present: bool,
    /// The role of who looks at it.
    pub role: String,
    /// The login of who looks at it.
    pub caller: Option<String>,
    /// What has to come of it.
    pub expect: Expected,
}

/// What has to come of an example. What is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// The priority.
    pub priority: Option<u8>,
    /// Why.
    pub because: Option<String>,
    /// Clocks, by name.
    pub due: Vec<(String, ExpectedDue)>,
    /// Computed fields, each with what it holds.
    pub computed: Facts,
    /// Transitions that can be taken.
    pub can: Vec<String>,
    /// Transitions that cannot.
    pub barred: Vec<String>,
}

/// How a clock has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedDue {
    /// It runs for so long.
    Runs(Period),
    /// There is none.
    None,
    /// It stands still.
    Paused,
    /// It has stopped.
    Stopped,
}

impl std::fmt::Display for ExpectedDue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExpectedDue::Runs(period) => write!(f, "{period}"),
            ExpectedDue::None => f.write_str("none"),
            ExpectedDue::Paused => f.write_str("paused"),
            ExpectedDue::Stopped => f.write_str("stopped"),
        }
    }
}

/// One example that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// The kind.
    pub kind: String,
    /// What the example shows.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What came out otherwise, each in one sentence; none where it passed.
    pub failures: Vec<String>,
}

impl Program {
    /// Runs every example, in the order of kinds and lines.
    pub fn test(&self) -> Vec<Tested> {
        let examples = self.kinds.values().flat_map(|k| k.examples.iter().map(move |e| (k, e)));
        examples.map(|(kind, example)| run(kind, example, self.ground())).collect()
    }
}

fn run(kind: &Kind, example: &Example, ground: &Ground) -> Tested {
    let mut facts = facts(kind, example);
    kind.compute(&mut facts, ground);
    let facts = facts;
    let mut failures = Vec::new();
    for (name, wanted) in &example.expect.computed {
        let found = facts.get(name).unwrap_or(&Value::Null);
        let same = match (found.as_f64(), wanted.as_f64()) {
            (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-6,
            _ => found == wanted,
        };
        if !same {
            failures.push(format!("`{name}` is {found}, not {wanted}"));
        }
    }
    let rule = kind.priority.iter().find(|r| r.when.as_ref().is_none_or(|c| c.holds(&facts)));
    if let Some(wanted) = example.expect.priority
        && rule.map(|r| r.priority) != Some(wanted)
    {
        let found = rule.map_or_else(|| "none".to_owned(), |r| format!("{} ({})", r.priority, r.because));
        failures.push(format!("the priority is {found}, not {wanted}"));
    }
    if let Some(wanted) = &example.expect.because
        && rule.map(|r| &r.because) != Some(wanted)
    {
        let found = rule.map_or("nothing", |r| r.because.as_str());
        failures.push(format!("the reason is `{found}`, not `{wanted}`"));
    }
    for (name, wanted) in &example.expect.due {
        let found = kind
            .clocks
            .iter()
            .find(|c| c.name == *name)
            .map_or(ExpectedDue::None, |c| clock(c, example, &facts));
        if found != *wanted {
            failures.push(format!("the clock `{name}` is {found}, not {wanted}"));
        }
    }
    for name in &example.expect.can {
        if let Some(why) = kind.transition(name).and_then(|t| barred(t, example, &facts)) {
            failures.push(format!("`{name}` cannot be taken: {why}"));
        }
    }
    for name in &example.expect.barred {
        if kind.transition(name).is_some_and(|t| barred(t, example, &facts).is_none()) {
            failures.push(format!("`{name}` can be taken"));
        }
    }
    Tested {
        kind: kind.name.clone(),
        name: example.name.clone(),
        file: example.file.clone(),
        line: example.line,
        failures,
    }
}

fn facts(kind: &Kind, example: &Example) -> Facts {
    let mut facts = example.fields.clone();
    facts.insert("kind".to_owned(), json!(kind.name));
    facts.insert("state".to_owned(), json!(example.state));
    facts.insert("open".to_owned(), json!(kind.state(&example.state).is_some_and(|s| s.open)));
    facts.insert("labels".to_owned(), json!(example.labels));
    facts.insert("today".to_owned(), json!(example.today));
    facts.insert("age".to_owned(), json!(example.age));
    let today = example.today.parse::<jiff::civil::Date>().unwrap_or_default();
    let opened = today.saturating_sub(example.age.clamp(0, 36_525).days());
    facts.insert("opened".to_owned(), json!(opened.to_string()));
    facts.insert("entered".to_owned(), json!(example.today));
    facts.insert("present".to_owned(), json!(example.present));
    facts.insert("caller".to_owned(), json!(example.caller));
    facts
}

fn clock(clock: &ClockRule, example: &Example, facts: &Facts) -> ExpectedDue {
    let started = example.passed.iter().chain([&example.state]).any(|s| clock.starts.contains(s));
    let period = match &clock.due {
        Due::Fixed(period) => Some(*period),
        Due::ByField(field, table) => {
            let value = facts.get(field).and_then(Value::as_str).unwrap_or_default();
            table.iter().find(|(name, _)| name == value).map(|(_, period)| *period)
        }
    };
    match period {
        Some(period) if started => {
            if clock.stops.contains(&example.state) {
                ExpectedDue::Stopped
            } else if clock.paused.as_ref().is_some_and(|c| c.holds(facts)) {
                ExpectedDue::Paused
            } else {
                ExpectedDue::Runs(period)
            }
        }
        _ => ExpectedDue::None,
    }
}

fn barred(way: &Transition, example: &Example, facts: &Facts) -> Option<String> {
    let filled = |name: &&String| {
        facts.get(*name).is_some_and(|v| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty()))
    };
    if !way.from.contains(&example.state) {
        Some(format!("it does not lead out of `{}`", example.state))
    } else if !way.who.contains(&example.role) {
        Some(format!("it is not for the role `{}`", example.role))
    } else if let Some(missing) = way.needs.iter().find(|n| !filled(n)) {
        Some(format!("it needs `{missing}`"))
    } else {
        let refused = way.when.as_ref().filter(|c| !c.holds(facts));
        refused.map(|c| match way.otherwise.as_str() {
            "" => format!("it takes that {}", c.source()),
            words => words.to_owned(),
        })
    }
}
