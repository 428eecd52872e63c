//! Days as the team counts them: its time zone, its holidays, the days on which it works.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::Period;

/// Days as the team counts them.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Where days begin.
    pub zone: TimeZone,
    /// Days on which nobody works, beside weekends.
    pub holidays: BTreeSet<Date>,
    /// The days of the week on which people work.
    pub working: Vec<Weekday>,
}

impl Calendar {
    /// The moment a period after another, both in milliseconds since 1970. Hours count as hours;
    /// days keep the time of day across changes of the clock; business days skip days off, and a
    /// beginning on a day off counts as the end of it.
    pub fn after(&self, from: i64, period: Period) -> i64 {
        match period {
            Period::Hours(n) => from.saturating_add(i64::from(n) * 3_600_000),
            Period::Days(n) => self.add(from, i64::from(n).days()),
            Period::BusinessDays(n) => {
                let mut day = self.date(from);
                let mut left = n;
                let mut passed = 0_i64;
                // A calendar without working days is refused at load, so this ends.
                while left > 0 {
                    let Ok(next) = day.tomorrow() else { break };
                    day = next;
                    passed += 1;
                    if self.works(day) {
                        left -= 1;
                    }
                }
                self.add(from, passed.days())
            }
        }
    }

    /// The day on which a moment falls.
    pub fn date(&self, at: i64) -> Date {
        self.zoned(at).date()
    }

    /// The first moment of a day.
    pub fn start_of(&self, day: Date) -> i64 {
        day.to_zoned_datetime(self.zone.clone()).map_or(0, |z| z.timestamp().as_millisecond())
    }

    /// Whether people work on a day.
    pub fn works(&self, day: Date) -> bool {
        self.working.contains(&day.weekday()) && !self.holidays.contains(&day)
    }

    /// A moment as date and time of day where the team is.
    pub fn zoned(&self, at: i64) -> jiff::ZonedDateTime {
        Timestamp::from_millisecond(at).unwrap_or_default().to_zoned_datetime(self.zone.clone())
    }

    fn add(&self, from: i64, span: Span) -> i64 {
        self.zoned(from).checked_add(span).map_or(i64::MAX, |z| z.timestamp().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            holidays: [Date::constant(2026, 12, 25)].into(),
            working: vec![
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
                Weekday::Friday,
            ],
        }
    }

    fn at(text: &str) -> i64 {
        text.parse::<jiff::ZonedDateTime>().unwrap().timestamp().as_millisecond()
    }

    #[test]
    fn days_keep_the_time_of_day_when_the_clocks_change() {
        let from = at("2026-10-24T12:00[Europe/Berlin]");
        assert_eq!(calendar().after(from, Period::Days(1)), at("2026-10-25T12:00[Europe/Berlin]"));
        assert_eq!(calendar().after(from, Period::Hours(24)), at("2026-10-25T11:00[Europe/Berlin]"));
    }

    #[test]
    fn business_days_skip_weekends_and_holidays() {
        let thursday = at("2026-12-24T09:00[Europe/Berlin]");
        assert_eq!(
            calendar().after(thursday, Period::BusinessDays(1)),
            at("2026-12-28T09:00[Europe/Berlin]")
        );
        let saturday = at("2026-12-05T09:00[Europe/Berlin]");
        assert_eq!(
            calendar().after(saturday, Period::BusinessDays(1)),
            at("2026-12-07T09:00[Europe/Berlin]")
        );
    }
}
