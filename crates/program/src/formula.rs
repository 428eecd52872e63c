//! A formula in the Common Expression Language: what a computed field holds. Unlike a condition it may
//! count days, and ask the values of policies. All numbers in it are of one sort, since the language
//! itself refuses to multiply 2 by 1.5.

use std::fmt;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::condition::{self, LANGUAGE};
use crate::{Calendar, Facts, PolicyValue};

/// What formulas may ask beside facts.
#[derive(Clone, Debug)]
pub struct Ground {
    calendar: Arc<Calendar>,
    values: Arc<[PolicyValue]>,
}

impl Ground {
    /// The days of a calendar and the values of policies.
    pub fn new(calendar: &Calendar, values: &[PolicyValue]) -> Ground {
        Ground { calendar: Arc::new(calendar.clone()), values: values.into() }
    }
}

/// A formula, compiled.
#[derive(Clone)]
pub struct Formula {
    source: String,
    program: Arc<cel::Program>,
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Formula({})", self.source)
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

/// Furthest that a formula counts days: a hundred years.
const FURTHEST: f64 = 36_525.0;
/// Most minor versions that a formula counts back.
const MOST_MINORS: i64 = 100;

impl Formula {
    /// Compiles a text; what is wrong with it otherwise. Names are checked by the caller.
    pub fn compile(source: &str) -> Result<Formula, String> {
        // What is wrong is said of the text as it was written.
        condition::compiled(source)?;
        Ok(Formula { source: source.to_owned(), program: Arc::new(condition::compiled(&one_sort(source))?) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// As a tree, for who checks its names.
    pub(crate) fn expression(&self) -> &cel::common::ast::IdedExpr {
        self.program.expression()
    }

    /// What it gives. Null where it gives nothing or cannot be evaluated (a sum with a field that is
    /// empty). Of policies, it takes the values that held on the day in the fact `opened`.
    pub fn value(&self, facts: &Facts, ground: &Ground) -> Value {
        self.evaluate(facts, ground).unwrap_or(Value::Null)
    }

    /// The same, with what went wrong.
    pub fn evaluate(&self, facts: &Facts, ground: &Ground) -> Result<Value, String> {
        let mut context = cel::Context::with_env(Arc::clone(&LANGUAGE));
        let opened = facts.get("opened").and_then(Value::as_str).and_then(|d| d.parse::<Date>().ok());
        declare(&mut context, ground, opened.unwrap_or(Date::MAX)).map_err(|e| e.to_string())?;
        for name in self.program.references().variables() {
            let value = match facts.get(name) {
                Some(Value::Number(number)) => json!(number.as_f64()),
                Some(value) => value.clone(),
                None => Value::Null,
            };
            context.add_variable(name, value).map_err(|e| e.to_string())?;
        }
        match self.program.execute(&context).map_err(|e| e.to_string())? {
            cel::Value::Null => Ok(Value::Null),
            cel::Value::Bool(flag) => Ok(json!(flag)),
            cel::Value::Int(number) => Ok(json!(number)),
            cel::Value::Float(number) => Ok(shortest(number)),
            cel::Value::String(text) if text.is_empty() => Ok(Value::Null),
            cel::Value::String(text) => Ok(json!(*text)),
            other => Err(format!("it gives {}, which no field takes", other.type_of())),
        }
    }

    /// What it gives for no record at all: for tests of the language.
    #[cfg(test)]
    fn alone(source: &str, ground: &Ground) -> Value {
        Formula::compile(source).unwrap().value(&Facts::new(), ground)
    }
}

/// A whole number without a point, others to six decimals; null for what is no number.
fn shortest(number: f64) -> Value {
    let number = (number * 1e6).round() / 1e6;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and smaller than two to the 53")]
    if number.fract() == 0.0 && number.abs() < 9e15 { json!(number as i64) } else { json!(number) }
}

/// Gives every number of a text a point, but not those in quotes or in names.
fn one_sort(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut letters = source.chars().peekable();
    let mut quote = None;
    let mut before = ' ';
    while let Some(c) = letters.next() {
        out.push(c);
        if let Some(end) = quote {
            if c == '\\' {
                out.extend(letters.next());
            } else if c == end {
                quote = None;
            }
        } else if c == '\'' || c == '"' {
            quote = Some(c);
        } else if c.is_ascii_digit() && !before.is_alphanumeric() && before != '_' && before != '.' {
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                out.push(digit);
            }
            if !letters.peek().is_some_and(|c| c.is_alphanumeric() || *c == '.' || *c == '_') {
                out.push_str(".0");
            }
            before = '0';
            continue;
        }
        before = c;
    }
    out
}

fn declare(
    context: &mut cel::Context<'_, '_>,
    ground: &Ground,
    on: Date,
) -> Result<(), Box<dyn std::error::Error>> {
    type Text = Arc<String>;
    let text = |date: Option<Date>| date.map_or(cel::Value::Null, |d| d.to_string().into());
    let number = |n: Option<f64>| n.map_or(cel::Value::Null, cel::Value::Float);
    context.add_function("level", |word: Text| f64::from(condition::rank(&word)))?;
    context.add_function("round", |n: f64| n.round())?;
    context.add_function("ceil", |n: f64| n.ceil())?;
    context.add_function("least", |a: f64, b: f64| a.min(b))?;
    context.add_function("most", |a: f64, b: f64| a.max(b))?;
    context.add_function("days", move |from: Text, n: f64| text(later(&from, n)))?;
    context.add_function("between", move |from: Text, to: Text| number(between(&from, &to)))?;
    let calendar = Arc::clone(&ground.calendar);
    context.add_function("business_days", move |from: Text, n: f64| text(working(&calendar, &from, n)))?;
    context.add_function("nth", move |month: Text, day: f64, n: f64| text(nth(&month, day, n)))?;
    context.add_function("earlier_minors", |version: Text, n: f64, last: f64| {
        earlier_minors(&version, n, last).map_or(cel::Value::Null, Into::into)
    })?;
    let values = Arc::clone(&ground.values);
    context.add_function("policy", move |name: Text| {
        number(find(&values, &name).and_then(|v| v.on(on, None)))
    })?;
    let values = Arc::clone(&ground.values);
    context.add_function("policy_of", move |name: Text, word: Text| {
        number(find(&values, &name).and_then(|v| v.on(on, Some(&word))))
    })?;
    Ok(())
}

fn find<'a>(values: &'a [PolicyValue], name: &str) -> Option<&'a PolicyValue> {
    values.iter().find(|v| v.name == name)
}

fn whole(n: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    (n.fract() == 0.0 && n.abs() <= FURTHEST).then_some(n as i64)
}

fn later(from: &str, n: f64) -> Option<Date> {
    from.parse::<Date>().ok()?.checked_add(whole(n)?.days()).ok()
}

fn between(from: &str, to: &str) -> Option<f64> {
    let (from, to) = (from.parse::<Date>().ok()?, to.parse::<Date>().ok()?);
    Some(f64::from(from.until(to).ok()?.get_days()))
}

fn working(calendar: &Calendar, from: &str, n: f64) -> Option<Date> {
    let mut day = from.parse::<Date>().ok()?;
    let mut left = whole(n).filter(|n| (0..=5_000).contains(n))?;
    while left > 0 {
        day = day.tomorrow().ok()?;
        if calendar.works(day) {
            left -= 1;
        }
    }
    Some(day)
}

/// The day of the week (1 is Monday) that comes the n-th time in the month of a date.
fn nth(month: &str, day: f64, n: f64) -> Option<Date> {
    let day = Weekday::from_monday_one_offset(i8::try_from(whole(day)?).ok()?).ok()?;
    month.parse::<Date>().ok()?.nth_weekday_of_month(i8::try_from(whole(n)?).ok()?, day).ok()
}

/// The minor versions before one: `17.4, 17.3` before `17.5`. Before the first of a major version come
/// the last ones of the major version before, which had minor versions up to `last`.
fn earlier_minors(version: &str, n: f64, last: f64) -> Option<String> {
    let (n, last) = (whole(n)?, whole(last)?);
    let mut parts = version.trim().split('.');
    let mut number = || parts.next()?.parse::<u32>().ok().map(i64::from);
    let (mut major, mut minor) = (number()?, number()?);
    if !(0..=MOST_MINORS).contains(&n) {
        return None;
    }
    let mut earlier = Vec::new();
    for _ in 0..n {
        (major, minor) = if minor > 0 { (major, minor - 1) } else { (major - 1, last) };
        if major < 0 {
            break;
        }
        earlier.push(format!("{major}.{minor}"));
    }
    Some(earlier.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dated;

    fn ground() -> Ground {
        let calendar = Calendar {
            zone: jiff::tz::TimeZone::UTC,
            holidays: [Date::constant(2026, 12, 25)].into(),
            working: vec![
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
                Weekday::Friday,
            ],
        };
        let dated = |since: Date, value: f64| Dated { since, value: Some(value), table: Vec::new() };
        let values = [PolicyValue {
            name: "wait".to_owned(),
            help: String::new(),
            dated: vec![dated(Date::constant(2025, 1, 1), 10.0), dated(Date::constant(2026, 1, 1), 14.0)],
        }];
        Ground::new(&calendar, &values)
    }

    #[test]
    fn formulas_count() {
        for (source, value) in [
            ("2 * 1.5", json!(3)),
            ("7 / 2", json!(3.5)),
            ("'2' + ' 17.5'", json!("2 17.5")),
            ("days('2026-12-24', 3)", json!("2026-12-27")),
            ("days('2026-12-24', -30)", json!("2026-11-24")),
            ("business_days('2026-12-24', 1)", json!("2026-12-28")),
            ("business_days('2026-12-05', 10)", json!("2026-12-18")),
            ("between('2026-01-01', '2026-03-01')", json!(59)),
            ("nth('2026-11-28', 4, 3)", json!("2026-11-19")),
            ("earlier_minors('17.5.1', 2, 11)", json!("17.4, 17.3")),
            ("earlier_minors('18.1', 2, 11)", json!("18.0, 17.11")),
            ("earlier_minors('new', 2, 11)", Value::Null),
            ("policy('wait')", json!(14)),
            ("policy('nothing')", Value::Null),
            ("1 / 0", Value::Null),
            ("missing + 1", Value::Null),
            ("days('never', 1)", Value::Null),
            ("days('2026-01-01', 1e18)", Value::Null),
            ("most(1, least(5, 3))", json!(3)),
            ("round(3.5) + ceil(3.1)", json!(8)),
        ] {
            assert_eq!(Formula::alone(source, &ground()), value, "{source}");
        }
    }

    #[test]
    fn a_policy_holds_from_its_day_on() {
        let formula = Formula::compile("policy('wait')").unwrap();
        for (opened, value) in
            [("2024-12-31", Value::Null), ("2025-12-31", json!(10)), ("2026-01-01", json!(14))]
        {
            let facts = json!({"opened": opened}).as_object().cloned().unwrap();
            assert_eq!(formula.value(&facts, &ground()), value, "{opened}");
        }
    }
}
