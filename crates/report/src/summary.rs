//! What several formats say of a whole report: counts, guards of endpoints, times, paths.

use std::collections::BTreeMap;

use wardroom_model::{Confidence, Endpoint, Feed, Filter, FilterRole, Finding, Report, Rule, Severity};

use crate::escape::line;

/// Worst first, as every format lists them.
pub(crate) const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// Surest first.
pub(crate) const CONFIDENCES: [Confidence; 3] = [Confidence::High, Confidence::Medium, Confidence::Low];

/// The shape that stands for a severity wherever its word stands, so that colour is never needed.
pub(crate) fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "◆",
        Severity::High => "▲",
        Severity::Medium => "■",
        Severity::Low => "●",
        Severity::Info => "○",
    }
}

/// The shape that stands for a confidence wherever its word stands.
pub(crate) fn dots(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "●●●",
        Confidence::Medium => "●●○",
        Confidence::Low => "●○○",
    }
}

/// How many of one severity and one confidence, suppressed ones left out.
pub(crate) struct Counts {
    cells: BTreeMap<(Severity, Confidence), usize>,
    /// Findings that count.
    pub active: usize,
    /// Files that have at least one of them.
    pub files: usize,
    /// Suppressed findings by kind (`inline`, `file`, `baseline`).
    pub suppressed: BTreeMap<String, usize>,
}

impl Counts {
    pub fn of(report: &Report) -> Counts {
        let mut cells = BTreeMap::new();
        let mut files = std::collections::BTreeSet::new();
        let mut active = 0;
        for finding in report.active() {
            *cells.entry((finding.severity, finding.confidence)).or_default() += 1;
            files.insert(&*finding.location.file);
            active += 1;
        }
        let mut suppressed = BTreeMap::new();
        for suppression in report.findings.iter().filter_map(|f| f.suppression.as_ref()) {
            *suppressed.entry(suppression.kind.clone()).or_default() += 1;
        }
        Counts { cells, active, files: files.len(), suppressed }
    }

    pub fn cell(&self, severity: Severity, confidence: Confidence) -> usize {
        self.cells.get(&(severity, confidence)).copied().unwrap_or(0)
    }

    pub fn severity(&self, severity: Severity) -> usize {
        CONFIDENCES.into_iter().map(|c| self.cell(severity, c)).sum()
    }

    pub fn suppressed_total(&self) -> usize {
        self.suppressed.values().sum()
    }

    /// `1 critical, 2 high`; empty where there is nothing.
    pub fn by_severity(&self) -> String {
        let parts: Vec<String> = SEVERITIES
            .into_iter()
            .filter(|&s| self.severity(s) > 0)
            .map(|s| format!("{} {s}", number(self.severity(s) as u64)))
            .collect();
        parts.join(", ")
    }
}

/// What stands in front of an endpoint, in words; the first says who is asked to sign in.
pub(crate) struct Guards {
    /// Some authentication filter always runs.
    pub authenticated: bool,
    /// `no authentication filter`, `authentication: require_login` …
    pub words: Vec<String>,
}

impl Guards {
    pub fn of(endpoint: &Endpoint) -> Guards {
        let names = |role: FilterRole, conditional: bool| -> Option<String> {
            let wanted = |f: &&Filter| f.role == role && f.conditional == conditional;
            let names: Vec<&str> = endpoint.filters.iter().filter(wanted).map(|f| f.name.as_str()).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let mut words = Vec::new();
        let authenticated = endpoint.guarded_by(FilterRole::Authentication);
        match (names(FilterRole::Authentication, false), names(FilterRole::Authentication, true)) {
            (Some(always), _) => words.push(format!("authentication: {always}")),
            (None, Some(sometimes)) => {
                words.push(format!("authentication only under a condition: {sometimes}"));
            }
            (None, None) => words.push("no authentication filter".to_owned()),
        }
        for (role, word) in [(FilterRole::Authorization, "authorization"), (FilterRole::Csrf, "CSRF check")] {
            match (names(role, false), names(role, true)) {
                (Some(always), _) => words.push(format!("{word}: {always}")),
                (None, Some(sometimes)) => words.push(format!("{word} only under a condition: {sometimes}")),
                (None, None) => {}
            }
        }
        Guards { authenticated, words }
    }
}

/// The endpoints of a finding, those that nobody must sign in for first: they matter most.
pub(crate) fn endpoints_open_first(finding: &Finding) -> Vec<&Endpoint> {
    let mut endpoints: Vec<&Endpoint> = finding.endpoints.iter().map(|e| &**e).collect();
    endpoints.sort_by_key(|e| e.guarded_by(FilterRole::Authentication));
    endpoints
}

/// `1 finding`, `1,204 findings`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", number(n as u64)) }
}

/// With commas between thousands.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds of all phases together.
pub(crate) fn milliseconds(report: &Report) -> f64 {
    report.stats.phases.iter().map(|(_, ms)| ms.max(0.0)).sum()
}

/// `340 ms`, `1.24 s`.
pub(crate) fn duration(milliseconds: f64) -> String {
    let milliseconds = milliseconds.max(0.0);
    if milliseconds < 1000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.2} s", milliseconds / 1000.0)
    }
}

/// Unix seconds as `2026-01-31T09:05:00`, in UTC and without a zone, as GitLab wants it. The
/// calendar is the proleptic Gregorian one, counted from 1 March of year 0 so that the leap day
/// falls at a year's end.
pub(crate) fn utc(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The path of a file as a forge knows it: from the repository's root, where the scan was started
/// there and a folder of it was named. An absolute root, or one above, tells nothing about the
/// repository, so the path stays as it is.
pub(crate) fn repository_path(root: &str, file: &str) -> String {
    let root = root.replace('\\', "/");
    let inside = root.trim_start_matches("./").trim_end_matches('/');
    let outside = root.starts_with('/') || inside.contains(':') || inside.split('/').any(|part| part == "..");
    if outside || inside.is_empty() || inside == "." { file.to_owned() } else { format!("{inside}/{file}") }
}

/// A number from 0 to 10 for a rule: from its CVSS vector, or else from the middle of its band.
pub(crate) fn score(rule: &Rule) -> f64 {
    let vector = rule.cvss.and_then(|v| v.parse::<cvss::v3::Vector>().ok());
    vector.map_or_else(|| f64::from(rule.severity.score()), |vector| vector.base_score().value())
}

/// Where MITRE describes a weakness class.
pub(crate) fn cwe_url(cwe: wardroom_model::Cwe) -> String {
    format!("https://cwe.mitre.org/data/definitions/{}.html", cwe.0)
}

/// What a weakness is published as, with its other names; none where it is published nowhere.
pub(crate) fn published(finding: &Finding) -> Option<String> {
    let advisory = finding.advisory.as_ref()?;
    let mut names = vec![line(&advisory.id).into_owned()];
    names.extend(advisory.aliases.iter().take(6).map(|alias| line(alias).into_owned()));
    Some(names.join(", "))
}

/// Where to read about it: only an address that a browser opens by TLS, without anything that ends a word.
pub(crate) fn advisory_url(finding: &Finding) -> Option<&str> {
    let url = finding.advisory.as_ref()?.url.as_str();
    let plain = |c: char| c.is_ascii_graphic() && !"\"'<>()`\\".contains(c);
    (url.starts_with("https://") && url.len() < 500 && url.chars().all(plain)).then_some(url)
}

/// Where else the same thing stands: the first places, and how many others; none where it stands once.
pub(crate) fn elsewhere(finding: &Finding) -> Option<String> {
    let places = &finding.places;
    let mut words: Vec<String> =
        places.iter().take(5).map(|p| format!("{}:{}", line(&p.file), p.start.line)).collect();
    if places.len() > words.len() {
        words.push(count(places.len() - words.len(), "other place", "other places"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// The libraries that were read: `412 libraries in 2 lockfiles`; none where there was none.
pub(crate) fn libraries(report: &Report) -> Option<String> {
    let stats = &report.stats;
    (stats.lockfiles > 0).then(|| {
        let libraries = count(stats.packages as usize, "library", "libraries");
        format!("{libraries} in {}", count(stats.lockfiles as usize, "lockfile", "lockfiles"))
    })
}

/// Where advisories came from, and how old they are; none where nothing was compared with any.
pub(crate) fn feeds(report: &Report) -> Option<String> {
    let feed = |f: &Feed| {
        let age = match f.age {
            None => "of a day that is not known".to_owned(),
            Some(0) => "of today".to_owned(),
            Some(days) => format!("{} old", count(days as usize, "day", "days")),
        };
        format!("{} {age}", line(&f.name))
    };
    let all: Vec<String> = report.feeds.iter().map(feed).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(utc(0), "1970-01-01T00:00:00");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(utc(1_798_761_599), "2026-12-31T23:59:59");
        assert_eq!(utc(-1), "1969-12-31T23:59:59");
    }

    #[test]
    fn a_forge_knows_files_from_the_repository() {
        assert_eq!(repository_path(".", "app/a.rb"), "app/a.rb");
        assert_eq!(repository_path("./apps/shop/", "app/a.rb"), "apps/shop/app/a.rb");
        assert_eq!(repository_path("/srv/shop", "app/a.rb"), "app/a.rb");
        assert_eq!(repository_path("../shop", "app/a.rb"), "app/a.rb");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(duration(340.2), "340 ms");
        assert_eq!(duration(1240.0), "1.24 s");
    }
}
