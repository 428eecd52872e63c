//! CVSS: vectors of versions 3.0 to 4.0 (and 2.0, for old advisories), their scores and bands.

use std::fmt;
use std::str::FromStr;

use wardroom_model::Severity;

/// A vector that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Cvss(cvss::Cvss);

/// A text is no vector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no CVSS vector: {0}")]
pub struct NoCvss(String);

impl FromStr for Cvss {
    type Err = NoCvss;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(Cvss).map_err(|e: cvss::Error| NoCvss(e.to_string()))
    }
}

impl Cvss {
    /// 0.0 to 10.0, to one decimal.
    pub fn score(&self) -> f64 {
        (self.0.score() * 10.0).round() / 10.0
    }

    /// The band of the score.
    pub fn severity(&self) -> Severity {
        Severity::of_score(self.score())
    }

    /// As it is written.
    pub fn vector(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for Cvss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_scores_come_out() {
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity::Medium),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity::Info),
        ] {
            let read: Cvss = vector.parse().unwrap();
            assert_eq!((read.score(), read.severity(), read.vector().as_str()), (score, severity, vector));
        }
        assert!("CVSS:3.1/AV:X".parse::<Cvss>().is_err());
        assert!("".parse::<Cvss>().is_err());
    }
}
