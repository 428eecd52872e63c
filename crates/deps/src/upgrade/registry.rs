//! What a registry has published: the lists that RubyGems, npm and Cargo read themselves, taken as bytes.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{Ecosystem, Requirement};

/// A list longer than this is not read, in bytes.
const LONGEST: usize = 128 << 20;
/// Most releases of one package that are read.
const MOST: usize = 100_000;

/// Knows what is published. Whoever has a cache or a connection implements it; this crate has neither.
pub trait Registry {
    /// All releases of a package, in no order; `None` where nothing is known about it.
    fn releases(&self, ecosystem: Ecosystem, name: &str) -> Option<Arc<[Release]>>;
}

/// Knows nothing.
pub struct Nothing;

impl Registry for Nothing {
    fn releases(&self, _: Ecosystem, _: &str) -> Option<Arc<[Release]>> {
        None
    }
}

/// One published version of a package, for one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Without the platform.
    pub version: String,
    /// `x86_64-linux`; empty for one that runs anywhere.
    pub platform: String,
    /// What it asks for, at run time.
    pub requires: Vec<Requirement>,
    /// The range of the language's versions that it runs on; empty for any.
    pub runtime: String,
    /// `sha256:hex`, or as the registry has it (`sha512-base64`); empty where it has none.
    pub checksum: String,
    /// Where it is downloaded from, where the registry says so.
    pub url: String,
    /// It was taken back.
    pub yanked: bool,
    /// What else the registry says of it, for the lockfiles that repeat it; `Null` where nothing does.
    pub more: Value,
}

/// A registry's list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It is longer than is read.
    #[error("the list of releases has more than {} MiB", LONGEST >> 20)]
    Long,
    /// It is not UTF-8.
    #[error("the list of releases is not UTF-8")]
    Text,
    /// It is not JSON of the registry's form.
    #[error("line {line} of the list of releases is not understood: {error}")]
    Json {
        /// From 1.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
}

fn text(bytes: &[u8]) -> Result<&str, RegistryError> {
    if bytes.len() > LONGEST {
        return Err(RegistryError::Long);
    }
    std::str::from_utf8(bytes).map_err(|_| RegistryError::Text)
}

/// Reads `info/NAME` of the compact index: `1.0.0-java rack:>= 2&< 4,rake:>= 0|checksum:…,ruby:>= 2.7`. Lines
/// that are none are left out.
pub fn read_compact_index(bytes: &[u8]) -> Result<Vec<Release>, RegistryError> {
    let mut releases = Vec::new();
    for line in text(bytes)?.lines().take(MOST) {
        let Some((full, rest)) = line.split_once(' ') else { continue };
        if !full.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let (version, platform) = full.split_once('-').unwrap_or((full, ""));
        let (requires, facts) = rest.split_once('|').unwrap_or((rest, ""));
        let range = |text: &str| text.replace('&', ", ");
        let mut release = Release {
            version: version.to_owned(),
            platform: platform.to_owned(),
            requires: requires
                .split(',')
                .filter_map(|required| required.split_once(':'))
                .map(|(name, wanted)| Requirement { name: name.trim().to_owned(), range: range(wanted) })
                .collect(),
            ..Release::default()
        };
        for fact in facts.split(',') {
            match fact.split_once(':') {
                Some(("checksum", sum)) => release.checksum = format!("sha256:{sum}"),
                Some(("ruby", wanted)) => release.runtime = range(wanted),
                _ => {}
            }
        }
        releases.push(release);
    }
    Ok(releases)
}

/// Reads an npm package's document: the whole one or the short one that installers ask for.
pub fn read_packument(bytes: &[u8]) -> Result<Vec<Release>, RegistryError> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(default)]
        versions: serde_json::Map<String, Value>,
    }
    let document: Document = serde_json::from_str(text(bytes)?)
        .map_err(|error| RegistryError::Json { line: error.line(), error })?;
    let releases = document.versions.into_iter().take(MOST).map(|(version, facts)| {
        let requires = ["dependencies", "optionalDependencies"]
            .into_iter()
            .filter_map(|key| facts.get(key).and_then(Value::as_object))
            .flatten()
            .filter_map(|(name, range)| {
                Some(Requirement { name: name.clone(), range: range.as_str()?.to_owned() })
            })
            .collect();
        let word = |object: Option<&Value>, key: &str| {
            object.and_then(|o| o.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let dist = facts.get("dist");
        let sum = word(dist, "integrity");
        Release {
            version,
            requires,
            runtime: word(facts.get("engines"), "node"),
            checksum: if sum.is_empty() { word(dist, "shasum") } else { sum },
            url: word(dist, "tarball"),
            // A deprecated release still installs; it is no choice of ours.
            yanked: facts.get("deprecated").is_some_and(|d| d.as_bool() != Some(false)),
            more: facts,
            ..Release::default()
        }
    });
    Ok(releases.collect())
}

/// Reads a crate's file of Cargo's index: one JSON object a line.
pub fn read_cargo_index(bytes: &[u8]) -> Result<Vec<Release>, RegistryError> {
    #[derive(Deserialize)]
    struct Line {
        vers: String,
        #[serde(default)]
        deps: Vec<Need>,
        cksum: String,
        #[serde(default)]
        yanked: bool,
        #[serde(default)]
        rust_version: Option<String>,
    }
    #[derive(Deserialize)]
    struct Need {
        name: String,
        req: String,
        #[serde(default)]
        package: Option<String>,
        #[serde(default)]
        kind: Option<String>,
        #[serde(default)]
        optional: bool,
    }
    impl Need {
        /// The crate's own name, whatever it is called there.
        fn real(&self) -> &str {
            self.package.as_deref().unwrap_or(&self.name)
        }
    }
    let mut releases = Vec::new();
    for (index, line) in text(bytes)?.lines().enumerate().take(MOST) {
        if line.trim().is_empty() {
            continue;
        }
        let line: Line =
            serde_json::from_str(line).map_err(|error| RegistryError::Json { line: index + 1, error })?;
        let requires = line
            .deps
            .iter()
            .filter(|need| need.kind.as_deref() != Some("dev"))
            .map(|need| Requirement { name: need.real().to_owned(), range: need.req.clone() })
            .collect();
        let optional: Vec<Value> =
            line.deps.iter().filter(|need| need.optional).map(|need| need.real().into()).collect();
        releases.push(Release {
            version: line.vers,
            requires,
            runtime: line.rust_version.unwrap_or_default(),
            checksum: line.cksum,
            yanked: line.yanked,
            more: Value::Array(optional),
            ..Release::default()
        });
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compact_index() {
        let text = "created_at: x\n---\n1.0 |checksum:aa\n1.1-java rack:>= 2&< 4,rake:>= 0|checksum:bb,ruby:>= 2.7&< 4,rubygems:> 1\nnonsense\n";
        let releases = read_compact_index(text.as_bytes()).unwrap();
        assert_eq!(releases.len(), 2);
        assert_eq!((releases[0].version.as_str(), releases[0].requires.len()), ("1.0", 0));
        let java = &releases[1];
        assert_eq!(
            (java.version.as_str(), java.platform.as_str(), java.runtime.as_str()),
            ("1.1", "java", ">= 2.7, < 4")
        );
        assert_eq!(java.checksum, "sha256:bb");
        assert_eq!(java.requires[0], Requirement { name: "rack".into(), range: ">= 2, < 4".into() });
        assert!(matches!(read_compact_index(b"\xff"), Err(RegistryError::Text)));
    }

    #[test]
    fn a_packument_and_a_cargo_index() {
        let text = r#"{"versions": {"1.0.0": {"dependencies": {"a": "^1"}, "engines": {"node": ">=12"},
            "dist": {"integrity": "sha512-x", "tarball": "https://r/x.tgz"}}, "1.0.1": {"deprecated": "no"}}}"#;
        let releases = read_packument(text.as_bytes()).unwrap();
        assert_eq!((releases[0].checksum.as_str(), releases[0].runtime.as_str()), ("sha512-x", ">=12"));
        assert_eq!(releases[0].requires[0].range, "^1");
        assert!(releases[1].yanked && !releases[0].yanked);
        let text = r#"{"name":"x","vers":"1.0.0","deps":[{"name":"a","req":"^1","package":"real"},{"name":"t","req":"*","kind":"dev"}],"cksum":"ff","yanked":true}"#;
        let releases = read_cargo_index(text.as_bytes()).unwrap();
        assert!(releases[0].yanked);
        assert_eq!(releases[0].requires, [Requirement { name: "real".into(), range: "^1".into() }]);
        for broken in ["{", "[1]", "{\"vers\": 1}"] {
            assert!(read_cargo_index(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(read_packument(b"{\"versions\": []}").is_err());
        assert!(read_packument("[".repeat(100_000).as_bytes()).is_err());
    }
}
