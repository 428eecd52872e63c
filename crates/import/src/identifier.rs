//! Published names in texts.

/// The first CWE number in a text: `CWE-79`, `cwe/cwe-079`, `79`.
pub(crate) fn cwe(text: &str) -> Option<u32> {
    let text = text.trim();
    cwes(text).first().copied().or_else(|| text.parse().ok().filter(|n| *n > 0))
}

/// Every CWE number that a text names, in its order.
pub(crate) fn cwes(text: &str) -> Vec<u32> {
    let lower = text.to_ascii_lowercase();
    let numbers = lower.match_indices("cwe").filter_map(|(at, _)| {
        let rest = lower[at + 3..].trim_start_matches(['-', '_', ':', ' ', '=']);
        let rest = rest.strip_prefix("cwe-").unwrap_or(rest);
        let digits = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
        digits.parse().ok().filter(|n| *n > 0)
    });
    let mut found = Vec::new();
    for number in numbers {
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

/// Names under which weaknesses are published, in a text's order: `CVE-2021-44228`, `GHSA-…`, `RUSTSEC-…`, `PYSEC-…`, `GO-…`.
pub(crate) fn published(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
        let name = word.trim_matches('-');
        if let Some(name) = one(name)
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    found
}

/// A word that is a published name, in its usual case.
fn one(word: &str) -> Option<String> {
    let (family, rest) = word.split_once('-')?;
    let dated = |rest: &str| {
        rest.split_once('-').is_some_and(|(year, number)| {
            year.len() == 4
                && year.bytes().all(|b| b.is_ascii_digit())
                && number.len() >= 4
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    };
    match family.to_ascii_uppercase().as_str() {
        family @ ("CVE" | "RUSTSEC" | "PYSEC" | "GO" | "OSV" | "RHSA" | "MAL") if dated(rest) => {
            Some(format!("{family}-{rest}"))
        }
        "GHSA" if rest.len() == 14 => Some(format!("GHSA-{}", rest.to_ascii_lowercase())),
        _ => None,
    }
}
