//! A length of time, as policies write it: `24h`, `30d`, `5bd`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// `24h`: that many hours, whatever the day.
    Hours(u32),
    /// `30d`: calendar days in the program's time zone.
    Days(u32),
    /// `5bd`: days on which people work.
    BusinessDays(u32),
}

/// A text is no period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no period: write hours as `24h`, days as `30d`, business days as `5bd`")]
pub struct NoPeriod(String);

/// The longest: a hundred years, so that no sum can leave the calendar.
const LONGEST_DAYS: u32 = 36_525;

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NoPeriod(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = text[..digits].parse().map_err(|_| wrong())?;
        let period = match &text[digits..] {
            "h" => Period::Hours(number),
            "d" => Period::Days(number),
            "bd" => Period::BusinessDays(number),
            _ => return Err(wrong()),
        };
        let days = if matches!(period, Period::Hours(_)) { number / 24 } else { number };
        if days > LONGEST_DAYS { Err(wrong()) } else { Ok(period) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Period::Hours(n) => write!(f, "{n}h"),
            Period::Days(n) => write!(f, "{n}d"),
            Period::BusinessDays(n) => write!(f, "{n}bd"),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written() {
        for text in ["24h", "30d", "5bd"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["", "30", "d", "3w", "-1d", "99999999999d", "40000d", "1 d"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
