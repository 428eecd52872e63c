//! The name of a record: `F-12`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a record: the prefix of its kind and its number. Numbers are given once, across all
/// kinds, from 1 and without gaps; the prefix is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// Upper-case letters, at most eight.
    pub prefix: String,
    /// From 1.
    pub no: u32,
}

impl RecordId {
    /// Puts it together.
    pub fn new(prefix: &str, no: u32) -> RecordId {
        RecordId { prefix: prefix.to_owned(), no }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.prefix, self.no)
    }
}

/// A text is no record's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no record's name: they look like F-12")]
pub struct NoId(String);

impl FromStr for RecordId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NoId(text.chars().take(40).collect());
        let (prefix, number) = text.split_once('-').ok_or_else(wrong)?;
        if prefix.is_empty() || prefix.len() > 8 || !prefix.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(wrong());
        }
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) || number.starts_with('0') {
            return Err(wrong());
        }
        let no = number.parse().map_err(|_| wrong())?;
        Ok(RecordId { prefix: prefix.to_ascii_uppercase(), no })
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        assert_eq!("f-12".parse::<RecordId>().unwrap(), RecordId::new("F", 12));
        for wrong in ["", "F", "F-", "-1", "F-0", "F-01", "F-1x", "F-99999999999", "TOOLONGPREFIX-1", "../-1"]
        {
            assert!(wrong.parse::<RecordId>().is_err(), "{wrong}");
        }
    }
}
