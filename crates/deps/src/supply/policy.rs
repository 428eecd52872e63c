//! What only the organisation itself knows, as a file of the project says it.

use wardroom_source::LineIndex;

use crate::lockfile::document::{Node, Value, toml};
use crate::lockfile::reading::shown;

/// A longer file is none, in bytes.
const LONGEST: usize = 1 << 20;
/// A name is told as the nearest of those that are known from this likeness on: 1 is the same.
const ALIKE: f64 = 0.75;

/// What only the organisation itself knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Names of packages that are its own.
    pub internal: Vec<Internal>,
    /// Licences that are not to be used, as the files write them: `AGPL-3.0-only`.
    pub denied_licences: Vec<String>,
    /// The only licences that may be used; empty where all may that are not denied.
    pub allowed_licences: Vec<String>,
}

/// A name of the organisation's own, and where its packages come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Internal {
    /// `shop-core`, or with a star at the end `@shop/*`, `com.shop.*`.
    pub pattern: String,
    /// How the address of the only registry for it begins; empty where any will do that is not public.
    pub registry: String,
}

/// A policy file cannot be used. Half a policy would let through what it denies, so that nothing is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is longer than is read, or not UTF-8.
    #[error("{file}: the file is not UTF-8, or has more than {LONGEST} bytes")]
    Text {
        /// The file.
        file: String,
    },
    /// It is no TOML.
    #[error("{file}:{line}: this is no TOML: {message}")]
    Form {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
        /// What is wrong.
        message: String,
    },
    /// A name is not known.
    #[error("{file}:{line}: `{name}` is not known in {place}; {advice}")]
    Unknown {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
        /// The name.
        name: String,
        /// Where it stands.
        place: &'static str,
        /// The nearest name that is known, or all of them.
        advice: String,
    },
    /// A value is of the wrong kind, or missing.
    #[error("{file}:{line}: `{name}` must be {wanted}")]
    Value {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
        /// Its name.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// Where it is no TOML, or says anything that is not known.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Policy, PolicyError> {
        let text = std::str::from_utf8(bytes).ok().filter(|t| t.len() <= LONGEST);
        let text = text.ok_or_else(|| PolicyError::Text { file: file.to_owned() })?;
        let (root, broken) = toml(text);
        let reader = Reader { file, text, lines: LineIndex::new(bytes) };
        if let Some(broken) = broken {
            let line = reader.line(broken.at as u32);
            return Err(PolicyError::Form { file: file.to_owned(), line, message: broken.message });
        }
        reader.policy(&root)
    }

    /// What is said of a package's name, where it is the organisation's own. A name that is written out
    /// comes before one with a star, and the longer start before the shorter.
    pub fn internal(&self, name: &str) -> Option<&Internal> {
        let fits = |own: &&Internal| match own.pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == own.pattern,
        };
        self.internal.iter().filter(fits).max_by_key(|own| (!own.pattern.ends_with('*'), own.pattern.len()))
    }

    /// Whether a licence, one alone, may not be used. An exception only adds to what a licence allows: with one
    /// it is allowed where it is without, and denied only where both are named together.
    pub fn refuses(&self, licence: &str) -> bool {
        let base = licence.split(" WITH ").next().unwrap_or(licence).trim();
        let among = |list: &[String], name: &str| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
        if among(&self.denied_licences, licence) {
            return true;
        }
        if among(&self.allowed_licences, licence) || among(&self.allowed_licences, base) {
            return false;
        }
        !self.allowed_licences.is_empty()
    }

    /// Whether it says anything of licences.
    pub fn rules_licences(&self) -> bool {
        !self.denied_licences.is_empty() || !self.allowed_licences.is_empty()
    }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    lines: LineIndex,
}

impl Reader<'_> {
    fn line(&self, at: u32) -> u32 {
        self.lines.position(self.text.as_bytes(), at).line
    }

    fn policy(&self, root: &Node<'_>) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default();
        self.known(root, "the file", &["licences", "internal"])?;
        if let Some(licences) = root.get("licences") {
            self.table(licences, "licences", "a table: `[licences]`")?;
            self.known(licences, "`[licences]`", &["denied", "allowed"])?;
            policy.denied_licences = self.words(licences, "denied")?;
            policy.allowed_licences = self.words(licences, "allowed")?;
        }
        let Some(internal) = root.get("internal") else { return Ok(policy) };
        let wanted = "a list of tables: `[[internal]]`";
        if !matches!(internal.value, Value::List(_)) {
            return Err(self.wrong(internal, "internal", wanted));
        }
        for entry in internal.items() {
            self.table(entry, "internal", wanted)?;
            self.known(entry, "`[[internal]]`", &["names", "registry"])?;
            let names = self.words(entry, "names")?;
            if names.is_empty() {
                return Err(self.wrong(entry, "names", "a list of one name or more"));
            }
            let registry = match entry.get("registry") {
                None => String::new(),
                Some(node) if node.text().contains("://") => node.text().to_owned(),
                Some(node) => return Err(self.wrong(node, "registry", "an address: `https://…`")),
            };
            let own = |pattern: String| Internal { pattern, registry: registry.clone() };
            policy.internal.extend(names.into_iter().map(own));
        }
        Ok(policy)
    }

    fn wrong(&self, node: &Node<'_>, name: &'static str, wanted: &'static str) -> PolicyError {
        PolicyError::Value { file: self.file.to_owned(), line: self.line(node.span.0), name, wanted }
    }

    fn table(&self, node: &Node<'_>, name: &'static str, wanted: &'static str) -> Result<(), PolicyError> {
        if node.is_map() { Ok(()) } else { Err(self.wrong(node, name, wanted)) }
    }

    fn known(&self, node: &Node<'_>, place: &'static str, names: &[&'static str]) -> Result<(), PolicyError> {
        let Some((name, _)) = node.entries().iter().find(|(n, _)| !names.contains(&&*n.text)) else {
            return Ok(());
        };
        let alike = |known: &&&str| strsim::jaro_winkler(&name.text, known);
        let nearest = names.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
        let advice = match nearest {
            Some(nearest) if alike(&nearest) >= ALIKE => format!("did you mean `{nearest}`?"),
            _ => format!("known are `{}`", names.join("`, `")),
        };
        Err(PolicyError::Unknown {
            file: self.file.to_owned(),
            line: self.line(name.span.0),
            name: shown(&name.text),
            place,
            advice,
        })
    }

    /// The words of a list; none where it is not there.
    fn words(&self, node: &Node<'_>, name: &'static str) -> Result<Vec<String>, PolicyError> {
        const WANTED: &str = "a list of words in quotes, none of them empty or a star alone";
        let Some(list) = node.get(name) else { return Ok(Vec::new()) };
        if !matches!(list.value, Value::List(_)) {
            return Err(self.wrong(list, name, WANTED));
        }
        let word = |item: &Node<'_>| match item.text().trim() {
            "" | "*" => Err(self.wrong(item, name, WANTED)),
            word => Ok(word.to_owned()),
        };
        list.items().iter().map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        Policy::read("p.toml", text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_policy_is_read() {
        let policy = read(
            "[licences]\ndenied = ['AGPL-3.0-only']\n\n[[internal]]\nnames = ['@shop/*', 'core']\nregistry = 'https://npm.shop.example'\n[[internal]]\nnames = ['@shop/open-*']\n",
        )
        .unwrap();
        assert!(policy.refuses("agpl-3.0-only") && !policy.refuses("MIT"));
        assert_eq!(policy.internal("@shop/a").unwrap().registry, "https://npm.shop.example");
        assert_eq!(policy.internal("@shop/open-a").unwrap().registry, "");
        assert!(policy.internal("corex").is_none());
        assert_eq!(read(""), Ok(Policy::default()));
    }

    #[test]
    fn who_allows_some_denies_the_rest() {
        let policy = read("[licences]\nallowed = ['MIT', 'Apache-2.0']\n").unwrap();
        assert!(!policy.refuses("mit") && policy.refuses("BSD-3-Clause"));
        assert!(!policy.refuses("Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            (
                "[licences]\n\ndeny = []\n",
                "p.toml:3: `deny` is not known in `[licences]`; did you mean `denied`?",
            ),
            ("[license]\n", "p.toml:1: `license` is not known in the file; did you mean `licences`?"),
            ("xyz = 1\n", "p.toml:1: `xyz` is not known in the file; known are `licences`, `internal`"),
            ("[licences]\ndenied = 'MIT'\n", "p.toml:2: `denied` must be a list of words"),
            ("[licences]\ndenied = [['MIT']]\n", "p.toml:2: `denied` must be a list of words"),
            ("[[internal]]\nnames = ['*']\n", "p.toml:2: `names` must be"),
            ("[[internal]]\nregistry = 'https://a'\n", "`names` must be a list of one name or more"),
            ("[[internal]]\nnames = ['a']\nregistry = 'here'\n", "p.toml:3: `registry` must be an address"),
            ("internal = 1\n", "p.toml:1: `internal` must be a list of tables"),
            ("licences = 1\n", "p.toml:1: `licences` must be a table"),
            ("\n[licences\n", "p.toml:2: this is no TOML"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        assert!(matches!(Policy::read("p.toml", b"\xff"), Err(PolicyError::Text { .. })));
        let deep = format!("[licences]\ndenied = {}", "[".repeat(50_000));
        assert!(matches!(Policy::read("p.toml", deep.as_bytes()), Err(PolicyError::Form { .. })));
        let long = "#".repeat(LONGEST + 1);
        assert!(matches!(Policy::read("p.toml", long.as_bytes()), Err(PolicyError::Text { .. })));
    }
}
