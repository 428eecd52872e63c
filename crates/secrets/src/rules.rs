//! The formats that are known: data in `rules/*.toml`, read once.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;
use wardroom_model::{Category, Confidence, Cwe, Rule, Severity};

/// The files of rules, one for each family of providers.
const FILES: [(&str, &str); 24] = [
    ("address", include_str!("../rules/address.toml")),
    ("ai", include_str!("../rules/ai.toml")),
    ("aws", include_str!("../rules/aws.toml")),
    ("azure", include_str!("../rules/azure.toml")),
    ("ci", include_str!("../rules/ci.toml")),
    ("cloud-hosting", include_str!("../rules/cloud-hosting.toml")),
    ("code-hosting", include_str!("../rules/code-hosting.toml")),
    ("databases", include_str!("../rules/databases.toml")),
    ("framework-key", include_str!("../rules/framework-key.toml")),
    ("generic-key", include_str!("../rules/generic-key.toml")),
    ("github", include_str!("../rules/github.toml")),
    ("gitlab", include_str!("../rules/gitlab.toml")),
    ("google", include_str!("../rules/google.toml")),
    ("messaging", include_str!("../rules/messaging.toml")),
    ("monitoring", include_str!("../rules/monitoring.toml")),
    ("package-registries", include_str!("../rules/package-registries.toml")),
    ("password", include_str!("../rules/password.toml")),
    ("password-hash", include_str!("../rules/password-hash.toml")),
    ("payments", include_str!("../rules/payments.toml")),
    ("private-key", include_str!("../rules/private-key.toml")),
    ("saas", include_str!("../rules/saas.toml")),
    ("secret-stores", include_str!("../rules/secret-stores.toml")),
    ("slack", include_str!("../rules/slack.toml")),
    ("web-token", include_str!("../rules/web-token.toml")),
];

/// Longest stretch that a pattern looks at, in bytes, where its format says nothing else.
const WINDOW: usize = 512;
/// What a name has to say beside the provider, where its format says nothing else.
const KEYISH: [&str; 8] = ["key", "token", "secret", "pass", "pwd", "auth", "credential", "pat"];

/// A file of rules could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It is no TOML of the right shape.
    #[error("rules/{file}.toml: {error}")]
    Shape {
        /// The file, without its ending.
        file: String,
        /// What the reader says.
        error: toml::de::Error,
    },
    /// A pattern is none.
    #[error("rules/{file}.toml: {token}: {error}")]
    Pattern {
        /// The file, without its ending.
        file: String,
        /// The format's id.
        token: String,
        /// What the compiler of patterns says.
        error: regex::Error,
    },
}

/// What is verified in a token beside its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The last six characters are the CRC-32 of what stands between prefix and them, in base 62.
    Crc32Base62,
    /// The same where not every token is known to have it: right is proof, wrong says nothing.
    Crc32Base62Hint,
    /// GitLab's routable form: the last seven characters are the CRC-32 of the rest, in base 36.
    GitlabRoutable,
    /// Forty characters that are neither a hash in hexadecimal nor words.
    AwsSecret,
    /// Base64 of a macaroon.
    Macaroon,
    /// Base64 of `user:password`.
    BasicPair,
    /// A value of `.npmrc`.
    Npmrc,
    /// What a person may have chosen.
    Password,
    /// A secret key of Django.
    Django,
    /// Only entropy tells: it holds any sign, in any row.
    Opaque,
}

/// Where to ask whether a token is alive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// The documented endpoint; `{secret}` stands for the token.
    pub url: String,
    /// `GET` where nothing is said.
    #[serde(default)]
    pub method: Option<String>,
    /// The header that carries the token.
    #[serde(default)]
    pub header: Option<String>,
    /// What the header says; `{secret}` stands for the token.
    #[serde(default)]
    pub value: Option<String>,
    /// User and password for basic authentication; `{secret}` stands for the token.
    #[serde(default)]
    pub basic: Option<String>,
    /// A header that the endpoint wants beside, as `Name: value`.
    #[serde(default)]
    pub extra_header: Option<String>,
    /// Statuses that only a token that is alive gets.
    pub alive: Vec<u16>,
    /// Statuses that only a dead one gets.
    pub dead: Vec<u16>,
    /// Where the status tells nothing: what the answer holds if the token is alive.
    #[serde(default)]
    pub body_alive: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyFile {
    id: String,
    title: String,
    about: String,
    severity: Severity,
    cwe: u16,
    rotate: String,
    #[serde(default)]
    token: Vec<TokenFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    id: String,
    name: String,
    #[serde(default)]
    starts: Vec<String>,
    #[serde(default)]
    named: Vec<String>,
    #[serde(default)]
    structure: Option<String>,
    #[serde(default)]
    also: Option<Vec<String>>,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    before: usize,
    #[serde(default)]
    window: Option<usize>,
    #[serde(default)]
    check: Option<Check>,
    #[serde(default)]
    entropy: Option<f64>,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    confidence: Option<Confidence>,
    #[serde(default)]
    rotate: Option<String>,
    #[serde(default)]
    docs: Option<String>,
    #[serde(default)]
    live: Option<Live>,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    quiet: Vec<String>,
}

/// One format of secrets.
#[derive(Debug)]
pub struct Token {
    /// `github-personal-token`: stable for ever.
    pub id: String,
    /// `GitHub personal access token`.
    pub name: String,
    /// The rule of its family.
    pub rule: &'static Rule,
    /// How bad a leak is.
    pub severity: Severity,
    /// How to replace it, in a few sentences.
    pub rotate: String,
    /// The provider's page on the endpoint or the format; empty where none is given.
    pub docs: String,
    /// Where to ask whether it is alive.
    pub live: Option<Live>,
    /// Texts that hold one; `{hex:32}` and the like stand for made-up characters.
    pub examples: Vec<String>,
    /// Texts that look alike and hold none.
    pub quiet: Vec<String>,
    /// It is found by words that it has in itself.
    pub(crate) starts: Vec<String>,
    /// It is found by the name of what it is assigned to.
    pub(crate) named: Vec<String>,
    /// The name begins with the word (`^` in the file).
    pub(crate) at_start: bool,
    /// What the name has to say beside.
    pub(crate) also: Vec<String>,
    /// It is found by Rust, not by a pattern.
    pub(crate) structure: String,
    /// Bytes before the word at which the pattern begins.
    pub(crate) before: usize,
    pub(crate) window: usize,
    pub(crate) check: Option<Check>,
    pub(crate) entropy: f64,
    pub(crate) confidence: Confidence,
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Token {
    /// The pattern, compiled at its first use: a scan of one file needs few.
    pub(crate) fn pattern(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.pattern, !self.named.is_empty()).ok()).as_ref()
    }
}

fn compile(pattern: &str, whole: bool) -> Result<Regex, regex::Error> {
    let text = if whole { format!(r"\A(?:{pattern})\z") } else { format!(r"\A(?:{pattern})") };
    RegexBuilder::new(&text).unicode(false).build()
}

/// Every format and every rule.
#[derive(Debug)]
pub struct Book {
    /// The formats, by file and place in it.
    pub tokens: Vec<Token>,
    /// The rules that users see, by id.
    pub rules: Vec<&'static Rule>,
}

impl Book {
    fn read(files: &[(&str, &str)]) -> Result<Book, RuleError> {
        let mut book = Book { tokens: Vec::new(), rules: Vec::new() };
        for (file, text) in files {
            let family: FamilyFile =
                toml::from_str(text).map_err(|error| RuleError::Shape { file: (*file).to_owned(), error })?;
            let rule = rule_of(&family);
            book.rules.push(rule);
            for token in family.token {
                book.tokens.push(Token {
                    severity: token.severity.unwrap_or(family.severity),
                    rotate: token.rotate.unwrap_or_else(|| family.rotate.clone()),
                    docs: token.docs.unwrap_or_default(),
                    also: token.also.unwrap_or_else(|| KEYISH.map(str::to_owned).to_vec()),
                    window: token.window.unwrap_or(WINDOW),
                    entropy: token.entropy.unwrap_or(2.8),
                    confidence: token.confidence.unwrap_or(Confidence::High),
                    structure: token.structure.unwrap_or_default(),
                    compiled: OnceLock::new(),
                    id: token.id,
                    name: token.name,
                    rule,
                    live: token.live,
                    examples: token.examples,
                    quiet: token.quiet,
                    starts: token.starts,
                    at_start: token.named.iter().any(|n| n.starts_with('^')),
                    named: token
                        .named
                        .iter()
                        .map(|n| n.trim_start_matches('^').replace(['-', '.'], "_"))
                        .collect(),
                    before: token.before,
                    check: token.check,
                    pattern: token.pattern,
                });
            }
        }
        book.rules.sort_by_key(|r| r.id);
        Ok(book)
    }

    /// Compiles every pattern, which a scan does not.
    ///
    /// # Errors
    /// [`RuleError::Pattern`] for the first that is none.
    pub fn check(&self) -> Result<(), RuleError> {
        for token in self.tokens.iter().filter(|t| !t.pattern.is_empty()) {
            compile(&token.pattern, !token.named.is_empty()).map_err(|error| RuleError::Pattern {
                file: token.rule.id.trim_start_matches("secret-").to_owned(),
                token: token.id.clone(),
                error,
            })?;
        }
        Ok(())
    }

    /// The format of that id.
    pub fn token(&self, id: &str) -> Option<&Token> {
        self.tokens.iter().find(|t| t.id == id)
    }
}

/// The rule's page is made of its file.
fn rule_of(family: &FamilyFile) -> &'static Rule {
    let formats: Vec<String> = family.token.iter().map(|t| format!("- {} (`{}`)", t.name, t.id)).collect();
    let doc = format!(
        "{}\n\n## Why it is bad\n\nWho can read the code, its history or a copy of it can use the secret, from anywhere, and \
         nothing tells the two uses apart. A secret that has once been in a repository stays in its history.\n\n## Formats\n\n{}\n\n\
         ## What to do\n\n{}\n\n## References\n\n- CWE-{}\n- CWE-312: Cleartext Storage of Sensitive Information\n",
        family.about,
        formats.join("\n"),
        family.rotate,
        family.cwe,
    );
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    Box::leak(Box::new(Rule {
        id: leak(format!("secret-{}", family.id)),
        title: leak(family.title.clone()),
        category: Category::Secrets,
        cwe: Cwe(family.cwe),
        severity: family.severity,
        cvss: None,
        doc: leak(doc),
    }))
}

/// The formats that are built in.
pub fn book() -> &'static Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| {
        Book::read(&FILES).expect("the rules are part of the program, and a test reads them")
    });
    &BOOK
}

/// The rules that users see, by id.
pub fn rules() -> &'static [&'static Rule] {
    &book().rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_files_are_right() {
        let book = Book::read(&FILES).unwrap();
        book.check().unwrap();
        assert!(book.tokens.len() >= 400, "{}", book.tokens.len());
        let mut ids: Vec<&str> = book.tokens.iter().map(|t| t.id.as_str()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "an id stands twice");
        for token in &book.tokens {
            let ways = usize::from(!token.starts.is_empty())
                + usize::from(!token.named.is_empty())
                + usize::from(!token.structure.is_empty());
            assert_eq!(ways, 1, "{} is found in {ways} ways", token.id);
            assert!(token.structure.is_empty() != token.examples.is_empty(), "{} has no example", token.id);
        }
    }

    #[test]
    fn every_file_of_the_folder_is_built_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().trim_end_matches(".toml").to_owned())
            .collect();
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name.to_owned()));
        for (name, text) in FILES {
            let family: FamilyFile = toml::from_str(text).unwrap();
            assert_eq!(family.id, name);
        }
    }

    #[test]
    fn a_broken_file_is_named() {
        let error = Book::read(&[("x", "id = 3")]).unwrap_err().to_string();
        assert!(error.starts_with("rules/x.toml: ") && error.contains("line 1"), "{error}");
    }
}
