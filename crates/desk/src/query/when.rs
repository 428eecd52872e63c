//! Moments, days, numbers and levels as searches write them.

use jiff::civil::Date;
use wardroom_program::Calendar;

use super::{Order, Test};
use crate::Millis;
use crate::index::{Shape, days};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// A value of time, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    /// `30d`: so many whole units.
    Length(i64, Millis),
    /// `2026-01-31`, `2026-01`, `2026`, `today`: first and last day.
    Days(Date, Date),
}

fn time(text: &str, today: Date) -> Option<Time> {
    if let Some((number, unit)) = [("h", HOUR), ("d", DAY), ("w", 7 * DAY)]
        .iter()
        .find_map(|(u, ms)| Some((text.strip_suffix(u)?, *ms)))
    {
        // 99,999 weeks are more than a thousand years.
        return number.parse::<i64>().ok().filter(|n| n.abs() < 100_000).map(|n| Time::Length(n, unit));
    }
    if text == "today" {
        return Some(Time::Days(today, today));
    }
    let parts: Vec<&str> = text.split('-').collect();
    let number = |s: &str, len| {
        (s.len() == len && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<i16>().ok())?
    };
    let small = |s: &str| number(s, 2).and_then(|n| i8::try_from(n).ok());
    let year = number(parts[0], 4).filter(|y| (1900..=2999).contains(y))?;
    match parts.as_slice() {
        [_] => Some(Time::Days(Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?)),
        [_, month] => {
            let first = Date::new(year, small(month)?, 1).ok()?;
            Some(Time::Days(first, first.last_of_month()))
        }
        [_, month, day] => {
            let day = Date::new(year, small(month)?, small(day)?).ok()?;
            Some(Time::Days(day, day))
        }
        _ => None,
    }
}

/// Which part of a line of whole numbers a test leaves: from, up to and without.
fn part(test: &Test, first: i64, end: i64) -> (i64, i64) {
    match test {
        Test::Compare(Order::Below, _) => (i64::MIN, first),
        Test::Compare(Order::AtMost, _) => (i64::MIN, end),
        Test::Compare(Order::Above, _) => (end, i64::MAX),
        Test::Compare(Order::AtLeast, _) => (first, i64::MAX),
        _ => (first, end),
    }
}

/// What a test of time says of values on a line that is counted from the present, `flipped` where
/// it counts into the past, or of days.
fn line(
    test: &Test,
    today: Date,
    flipped: bool,
    length: impl Fn(i64, Millis) -> Option<(i64, i64)>,
    day: impl Fn(Date) -> i64,
    now: i64,
) -> Option<(i64, i64)> {
    let one = |text: &str| -> Option<(bool, i64, i64)> {
        Some(match time(text, today)? {
            Time::Length(n, unit) => {
                let (first, end) = length(n, unit)?;
                (true, first, end)
            }
            Time::Days(first, last) => (false, day(first), day(last.tomorrow().ok()?)),
        })
    };
    let (relative, (from, to)) = match test {
        Test::Is(v) | Test::Exact(v) | Test::Compare(_, v) => {
            let (relative, first, end) = one(v)?;
            (relative, part(test, first, end))
        }
        Test::Between(from, to) => {
            let low = if from.is_empty() { None } else { Some(one(from)?) };
            let high = if to.is_empty() { None } else { Some(one(to)?) };
            if let (Some(low), Some(high)) = (low, high)
                && low.0 != high.0
            {
                return None;
            }
            let relative = low.or(high).is_some_and(|e| e.0);
            (relative, (low.map_or(i64::MIN, |e| e.1), high.map_or(i64::MAX, |e| e.2)))
        }
        Test::Prefix(_) => return None,
    };
    Some(match (relative, flipped) {
        (false, _) => (from, to),
        (true, false) => (shift(now, from), shift(now, to)),
        // `from <= now - t < to`
        (true, true) => {
            let low = if to == i64::MAX { i64::MIN } else { now.saturating_sub(to).saturating_add(1) };
            let high = if from == i64::MIN { i64::MAX } else { now.saturating_sub(from).saturating_add(1) };
            (low, high)
        }
    })
}

fn shift(now: i64, by: i64) -> i64 {
    if by == i64::MIN || by == i64::MAX { by } else { now.saturating_add(by) }
}

/// The moments that a test leaves: from, up to and without. A length counts in whole units, so that
/// `age:>30d` is what an age in days above 30 is; `ahead` for what lies in the future.
pub fn moments(test: &Test, ahead: bool, calendar: &Calendar, now: Millis) -> Option<(Millis, Millis)> {
    let length =
        |n: i64, unit: Millis| Some((n.saturating_mul(unit), n.saturating_add(1).saturating_mul(unit)));
    line(test, calendar.date(now), !ahead, length, |d| calendar.start_of(d), now)
}

/// The same for the values of a date field, as numbers of days; a length counts from today on.
pub fn dates(test: &Test, today: Date) -> Option<(i64, i64)> {
    let length = |n: i64, unit: Millis| (unit % DAY == 0).then(|| (n * (unit / DAY), (n + 1) * (unit / DAY)));
    line(test, today, false, length, |d| i64::from(days(d)), i64::from(days(today)))
}

/// Whether a text is a length of time, as `age` needs one.
pub fn is_length(text: &str) -> bool {
    matches!(time(text, Date::constant(2000, 1, 1)), Some(Time::Length(..)))
}

/// The ranks that a test leaves, of numbers and levels.
pub fn ranks(test: &Test, shape: Shape) -> Option<impl Fn(f64) -> bool + use<>> {
    let value = |text: &str| shape.rank(text);
    let (low, low_in, high, high_in) = match test {
        Test::Is(v) | Test::Exact(v) => {
            let n = value(v)?;
            (n, true, n, true)
        }
        Test::Compare(order, v) => {
            let n = value(v)?;
            match order {
                Order::Below => (f64::NEG_INFINITY, true, n, false),
                Order::AtMost => (f64::NEG_INFINITY, true, n, true),
                Order::Above => (n, false, f64::INFINITY, true),
                Order::AtLeast => (n, true, f64::INFINITY, true),
            }
        }
        Test::Between(from, to) => {
            let low = if from.is_empty() { f64::NEG_INFINITY } else { value(from)? };
            let high = if to.is_empty() { f64::INFINITY } else { value(to)? };
            (low, true, high, true)
        }
        Test::Prefix(_) => return None,
    };
    Some(move |n: f64| {
        (if low_in { n >= low } else { n > low }) && (if high_in { n <= high } else { n < high })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar { zone: jiff::tz::TimeZone::UTC, holidays: Default::default(), working: Vec::new() }
    }

    fn read(value: &str) -> Test {
        let (query, _) = super::super::Query::parse(&format!("x:{value}"));
        query.terms[0].tests[0].clone()
    }

    #[test]
    fn moments_are_read() {
        let now = 1_000 * DAY + HOUR;
        let got = |value: &str, ahead| moments(&read(value), ahead, &calendar(), now);
        // Older than 30 whole days.
        assert_eq!(got(">30d", false), Some((i64::MIN, now - 31 * DAY + 1)));
        assert_eq!(got("<1d", false), Some((now - DAY + 1, i64::MAX)));
        assert_eq!(got("8d..30d", false), Some((now - 31 * DAY + 1, now - 8 * DAY + 1)));
        assert_eq!(got("<0d", true), Some((i64::MIN, now)));
        assert_eq!(got("<7d", true), Some((i64::MIN, now + 7 * DAY)));
        assert_eq!(got("1970-01-02", false), Some((DAY, 2 * DAY)));
        assert_eq!(got("1972-02", false), Some((761 * DAY, 790 * DAY)));
        assert_eq!(got("today", false), Some((1_000 * DAY, 1_001 * DAY)));
        assert_eq!(got("2026..30d", false), None);
        for wrong in ["30", "x", "2026-13", "2026-02-30", "1-2-3-4", "99999999d", "d", "*"] {
            assert_eq!(got(wrong, false), None, "{wrong}");
        }
    }
}
