//! What people said is no secret: allow-lists of `.gitleaks.toml`, lines of `.gitleaksignore`, and
//! comments beside the secret.

use regex::bytes::Regex;
use serde::Deserialize;

use crate::scanner::Raw;
use crate::value::contains;

/// An allow-list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// It is no TOML of the right shape.
    #[error("{file}: {error}")]
    Shape {
        /// The file.
        file: String,
        /// What the reader says.
        error: Box<toml::de::Error>,
    },
    /// A pattern is none.
    #[error("{file}: the pattern `{pattern}` is none: {error}")]
    Pattern {
        /// The file.
        file: String,
        /// As it is written.
        pattern: String,
        /// What the compiler of patterns says.
        error: regex::Error,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    allowlist: Option<ListFile>,
    allowlists: Vec<ListFile>,
    rules: Vec<RuleFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RuleFile {
    id: String,
    allowlist: Option<ListFile>,
    allowlists: Vec<ListFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListFile {
    description: String,
    paths: Vec<String>,
    regexes: Vec<String>,
    #[serde(rename = "regexTarget")]
    regex_target: String,
    stopwords: Vec<String>,
    commits: Vec<String>,
    condition: String,
    #[serde(rename = "targetRules")]
    target_rules: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Secret,
    Line,
}

#[derive(Debug)]
struct List {
    description: String,
    paths: Vec<Regex>,
    regexes: Vec<Regex>,
    target: Target,
    stopwords: Vec<String>,
    commits: Vec<String>,
    /// Every kind of condition that is given must hold, not one.
    all: bool,
    /// Rules of gitleaks that it is for; empty is all.
    rules: Vec<String>,
}

/// One line of `.gitleaksignore`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ignored {
    path: String,
    rule: String,
    line: usize,
}

/// Everything that is allowed.
#[derive(Debug, Default)]
pub struct Allow {
    lists: Vec<List>,
    ignored: Vec<Ignored>,
}

impl Allow {
    /// Nothing is allowed but what a comment says.
    pub fn none() -> Allow {
        Allow::default()
    }

    /// Adds the allow-lists of a `.gitleaks.toml`. Its own rules are not taken over. `file` is its name, for messages.
    ///
    /// # Errors
    /// [`AllowError`] where the file is no TOML of that shape, or a pattern in it is none.
    pub fn add_gitleaks(&mut self, file: &str, text: &str) -> Result<(), AllowError> {
        let config: Config = toml::from_str(text)
            .map_err(|error| AllowError::Shape { file: file.to_owned(), error: Box::new(error) })?;
        for list in config.allowlist.into_iter().chain(config.allowlists) {
            let rules = list.target_rules.clone();
            self.add(file, list, rules)?;
        }
        for rule in config.rules {
            for list in rule.allowlist.into_iter().chain(rule.allowlists) {
                self.add(file, list, vec![rule.id.clone()])?;
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &str, list: ListFile, rules: Vec<String>) -> Result<(), AllowError> {
        let compile = |patterns: &[String]| {
            patterns
                .iter()
                .map(|pattern| {
                    Regex::new(pattern).map_err(|error| AllowError::Pattern {
                        file: file.to_owned(),
                        pattern: pattern.clone(),
                        error,
                    })
                })
                .collect::<Result<Vec<Regex>, AllowError>>()
        };
        self.lists.push(List {
            paths: compile(&list.paths)?,
            regexes: compile(&list.regexes)?,
            target: if matches!(list.regex_target.as_str(), "line" | "match") {
                Target::Line
            } else {
                Target::Secret
            },
            stopwords: list.stopwords.iter().map(|w| w.to_ascii_lowercase()).collect(),
            commits: list.commits.iter().map(|c| c.to_ascii_lowercase()).collect(),
            all: list.condition.eq_ignore_ascii_case("and"),
            description: list.description,
            rules,
        });
        Ok(())
    }

    /// Adds the lines of a `.gitleaksignore`: `path:rule:line`, or the same behind a commit.
    pub fn add_ignored(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let mut parts: Vec<&str> = line.rsplitn(3, ':').collect();
            parts.reverse();
            let [path, rule, number] = parts[..] else { continue };
            let path = path.split_once(':').filter(|(c, _)| c.len() == 40).map_or(path, |(_, p)| p);
            if let Ok(number) = number.parse() {
                self.ignored.push(Ignored { path: path.to_owned(), rule: rule.to_owned(), line: number });
            }
        }
    }

    /// Whether a file need not be looked at.
    pub fn path(&self, path: &str) -> bool {
        self.lists.iter().any(|l| {
            let only = l.regexes.is_empty() && l.stopwords.is_empty() && l.commits.is_empty();
            l.rules.is_empty() && (!l.all || only) && l.paths.iter().any(|p| p.is_match(path.as_bytes()))
        })
    }

    /// Whether a commit need not be looked at; its full id in hexadecimal.
    pub fn commit(&self, id: &str) -> bool {
        self.lists.iter().any(|l| {
            !l.all
                && l.rules.is_empty()
                && l.commits.iter().any(|c| id.starts_with(c.as_str()) && c.len() >= 7)
        })
    }

    /// What covers a hit, in words. `above` is the line before, `last` the one on which the secret ends.
    pub(crate) fn covers(
        &self,
        raw: &Raw,
        path: &str,
        number: usize,
        line: &[u8],
        above: &[u8],
        last: &[u8],
    ) -> Option<String> {
        if let Some(comment) =
            comment(raw, line).or_else(|| comment(raw, last)).or_else(|| comment_above(raw, above))
        {
            return Some(comment);
        }
        let ignored = |i: &Ignored| i.path == path && i.line == number && same_rule(&i.rule, raw);
        if self.ignored.iter().any(ignored) {
            return Some(".gitleaksignore".to_owned());
        }
        self.lists.iter().find(|l| l.covers(raw, path, line)).map(|l| {
            if l.description.is_empty() {
                "an allow-list of .gitleaks.toml".to_owned()
            } else {
                l.description.clone()
            }
        })
    }
}

impl List {
    fn covers(&self, raw: &Raw, path: &str, line: &[u8]) -> bool {
        if !self.rules.is_empty() && !self.rules.iter().any(|r| same_rule(r, raw)) {
            return false;
        }
        let target = if self.target == Target::Line { line } else { raw.secret.as_slice() };
        let lower = raw.secret.to_ascii_lowercase();
        let mut said = Vec::new();
        if !self.paths.is_empty() {
            said.push(self.paths.iter().any(|p| p.is_match(path.as_bytes())));
        }
        if !self.regexes.is_empty() {
            said.push(self.regexes.iter().any(|p| p.is_match(target)));
        }
        if !self.stopwords.is_empty() {
            said.push(self.stopwords.iter().any(|w| contains(&lower, w.as_bytes())));
        }
        if self.all {
            !said.is_empty() && self.commits.is_empty() && said.iter().all(|s| *s)
        } else {
            said.contains(&true)
        }
    }
}

/// A rule of gitleaks speaks of the same as one of ours where they begin with the same word.
fn same_rule(theirs: &str, raw: &Raw) -> bool {
    let first = |id: &str| id.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let family = raw.token.rule.id.trim_start_matches("secret-");
    first(theirs) == first(&raw.token.id)
        || first(theirs) == first(family)
        || theirs.eq_ignore_ascii_case(&raw.token.id)
        || theirs == "jwt" && family == "web-token"
        || theirs == "curl-auth-header" && family == "web-token"
        || theirs == "generic-api-key" && matches!(family, "generic-key" | "password" | "framework-key")
}

/// A comment on the line of the secret.
fn comment(raw: &Raw, line: &[u8]) -> Option<String> {
    let others: [&[u8]; 4] =
        [b"gitleaks:allow", b"trufflehog:ignore", b"pragma: allowlist secret", b"betterleaks:allow"];
    if let Some(word) = others.iter().find(|w| contains(line, w)) {
        return Some(format!("the comment {}", String::from_utf8_lossy(word)));
    }
    own_comment(raw, line)
}

/// `wardroom:ignore` alone on the line above.
fn comment_above(raw: &Raw, above: &[u8]) -> Option<String> {
    let text = above.trim_ascii_start();
    let alone = [&b"#"[..], b"//", b"--", b";", b"/*", b"<!--", b"<%#", b"-#", b"*"]
        .iter()
        .any(|c| text.starts_with(c));
    alone.then(|| own_comment(raw, above)).flatten()
}

fn own_comment(raw: &Raw, line: &[u8]) -> Option<String> {
    let word = b"wardroom:ignore";
    let at = memchr::memmem::find(line, word)?;
    let said = String::from_utf8_lossy(&line[at + word.len()..]).into_owned();
    let (rules, reason) = said.split_once("--").unwrap_or((&said, ""));
    let named =
        rules.split([',', ' ', '\t', ':']).any(|r| r == raw.token.rule.id || r == raw.token.id || r == "all");
    let reason = reason.trim().trim_end_matches(['>', '%', '*', '/']).trim_end_matches("--").trim();
    named
        .then(|| if reason.is_empty() { "the comment wardroom:ignore".to_owned() } else { reason.to_owned() })
}
