//! Package URLs: the one line that names a package in every ecosystem, to and from its text.
//!
//! The grammar and the rules of each type are those of the package-url specification (ECMA-427).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{Ecosystem, Origin, Package};

/// Longest package URL that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// Runtimes as this crate names them, and as their versions are fixed in a project.
const RUNTIMES: [&str; 14] = [
    "bun", "crystal", "deno", "dotnet", "elixir", "erlang", "go", "java", "nodejs", "perl", "php", "python",
    "ruby", "rust",
];

/// A package URL, taken apart and normalised by the rules of its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    /// `npm`, `gem`, `maven`: lower case.
    pub kind: String,
    /// What stands in front of the name, its parts with `/` between them; empty for none.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version; empty for none.
    pub version: String,
    /// Further words by name: `repository_url`, `platform`. None of the values is empty.
    pub qualifiers: BTreeMap<String, String>,
    /// A folder within the package; empty for none.
    pub subpath: String,
}

/// Why a text is no package URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PurlError {
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    Scheme,
    /// The type is missing or holds a character that a type may not have.
    #[error("the type of a package URL is a letter followed by letters, digits, `.` or `-`")]
    Type,
    /// There is no name.
    #[error("a package URL names a package")]
    Name,
    /// The name or the version is none that the type can have.
    #[error("the type of this package URL does not allow such a name or version")]
    Form,
    /// The type needs a namespace, or allows none.
    #[error("the type of this package URL needs a namespace, or allows none")]
    Namespace,
    /// A qualifier's name holds a character that it may not have, or one that the type needs is missing.
    #[error("a qualifier of this package URL is missing or badly named")]
    Qualifier,
    /// A percent sign is not followed by two digits, or the bytes are no text.
    #[error("a percent sign in this package URL does not stand for a character")]
    Encoding,
    /// It is longer than is read.
    #[error("the package URL is longer than is read")]
    Long,
}

impl Purl {
    /// The package URL of a package as a lockfile names it.
    pub fn of(package: &Package) -> Purl {
        let mut purl = Purl { kind: package.ecosystem.purl_type().to_owned(), ..Purl::default() };
        let separator = if package.ecosystem == Ecosystem::Maven { ':' } else { '/' };
        let mut name = package.name.as_str();
        let mut version = package.version.clone();
        let mut add = |key: &str, value: &str| {
            if !value.is_empty() {
                purl.qualifiers.insert(key.to_owned(), value.to_owned());
            }
        };
        match &package.origin {
            Origin::Registry(url) if package.ecosystem != Ecosystem::Container => {
                if !is_own(package.ecosystem, url) {
                    add("repository_url", url);
                }
            }
            Origin::Registry(host) => {
                // The registry stands in front of an image's name; in a package URL it is a qualifier.
                if let Some(rest) = name.strip_prefix(host.as_str()).and_then(|n| n.strip_prefix('/')) {
                    add("repository_url", host);
                    name = rest;
                }
            }
            Origin::Git { url, revision, reference } if package.ecosystem != Ecosystem::Ci => {
                let at = if revision.is_empty() { reference } else { revision };
                let scheme = if url.starts_with("git") { "" } else { "git+" };
                let tail = if at.is_empty() { String::new() } else { format!("@{at}") };
                add("vcs_url", &format!("{scheme}{url}{tail}"));
            }
            Origin::Git { revision, .. } => {
                if !revision.is_empty() {
                    version.clone_from(revision);
                }
            }
            Origin::Url(url) => add("download_url", url),
            Origin::Path(_) => {}
        }
        match package.ecosystem {
            Ecosystem::RubyGems => add("platform", &package.platform),
            Ecosystem::Go if version.starts_with(|c: char| c.is_ascii_digit()) => version.insert(0, 'v'),
            Ecosystem::Container if version.is_empty() => version.clone_from(&package.checksum),
            _ => {}
        }
        let splits = !matches!(
            package.ecosystem,
            Ecosystem::Cargo | Ecosystem::RubyGems | Ecosystem::PyPi | Ecosystem::NuGet
        );
        match name.rsplit_once(separator).filter(|_| splits) {
            Some((namespace, name)) => {
                purl.namespace = namespace.trim_matches('/').to_owned();
                purl.name = name.to_owned();
            }
            None => purl.name = name.to_owned(),
        }
        purl.version = version;
        purl.normalise();
        purl
    }

    /// The ecosystem and the name that a [`Package`] of it would have; none for a type that is not ours.
    pub fn ecosystem(&self) -> Option<(Ecosystem, String)> {
        let ecosystem = match self.kind.as_str() {
            "oci" => Ecosystem::Container,
            "github" => Ecosystem::Ci,
            // Whatever has no type of its own is generic; these are the runtimes among it.
            "generic" if RUNTIMES.contains(&self.name.as_str()) => Ecosystem::Runtime,
            kind => *Ecosystem::ALL.iter().find(|e| e.purl_type() == kind && **e != Ecosystem::Runtime)?,
        };
        let host = self.qualifiers.get("repository_url").filter(|_| ecosystem == Ecosystem::Container);
        let separator = if ecosystem == Ecosystem::Maven { ":" } else { "/" };
        let parts = [host.map_or("", String::as_str), &self.namespace, &self.name];
        let name = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(separator);
        Some((ecosystem, name))
    }

    /// Checks the parts and normalises them.
    ///
    /// # Errors
    /// Where a part is missing, or one that the type does not allow.
    pub fn checked(mut self) -> Result<Purl, PurlError> {
        self.kind = self.kind.to_ascii_lowercase();
        let mut letters = self.kind.bytes();
        if !letters.next().is_some_and(|b| b.is_ascii_lowercase())
            || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        {
            return Err(PurlError::Type);
        }
        self.namespace = parts(&self.namespace, false);
        self.subpath = parts(&self.subpath, true);
        self.name = self.name.trim_matches('/').to_owned();
        if self.name.is_empty() {
            return Err(PurlError::Name);
        }
        let mut qualifiers = BTreeMap::new();
        for (key, value) in std::mem::take(&mut self.qualifiers) {
            // The published cases both ask for capitals here and refuse them: they are let pass.
            let key = key.to_ascii_lowercase();
            let good = key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
            if !good {
                return Err(PurlError::Qualifier);
            }
            if !value.is_empty() {
                qualifiers.insert(key, value);
            }
        }
        self.qualifiers = qualifiers;
        self.normalise();
        self.check_type()?;
        Ok(self)
    }

    fn check_type(&self) -> Result<(), PurlError> {
        match self.kind.as_str() {
            "swift" | "vscode-extension" if self.namespace.is_empty() => return Err(PurlError::Namespace),
            "otp" | "vcpkg" if !self.namespace.is_empty() => return Err(PurlError::Namespace),
            "cpan" if self.name.contains("::") => return Err(PurlError::Form),
            "julia" if !self.qualifiers.contains_key("uuid") => return Err(PurlError::Qualifier),
            "chrome-extension" => {
                // Its name is a key in sixteen letters, its version one to four numbers.
                let name = self.name.len() == 32 && self.name.bytes().all(|b| (b'a'..=b'p').contains(&b));
                let mut numbers = self.version.split('.');
                let version = self.version.is_empty()
                    || numbers.clone().count() <= 4
                        && numbers.all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
                if !name || !version {
                    return Err(PurlError::Form);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the type says of case and of letters.
    fn normalise(&mut self) {
        let lower = |text: &mut String| *text = text.to_lowercase();
        match self.kind.as_str() {
            "alpm" | "apk" | "bitbucket" | "brew" | "composer" | "deb" | "github" | "hex" | "luarocks"
            | "yocto" => {
                lower(&mut self.namespace);
                lower(&mut self.name);
            }
            "git" if matches!(self.namespace.as_str(), "github" | "github.com") => lower(&mut self.name),
            "bitnami" | "chrome-extension" | "otp" => lower(&mut self.name),
            "qpkg" | "rpm" => lower(&mut self.namespace),
            "huggingface" => lower(&mut self.version),
            "oci" => {
                lower(&mut self.name);
                lower(&mut self.version);
            }
            "vscode-extension" => {
                lower(&mut self.namespace);
                lower(&mut self.name);
                lower(&mut self.version);
            }
            "pypi" => {
                self.name = self.name.to_lowercase().replace('_', "-");
                lower(&mut self.version);
            }
            "pub" => {
                self.name = self.name.to_lowercase();
                self.name =
                    self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            }
            "hackage" => self.name = self.name.replace('_', "-"),
            "cpan" => self.namespace = self.namespace.to_uppercase(),
            // A registry's own names follow the case of the registry.
            "mlflow" if self.qualifiers.get("repository_url").is_some_and(|u| u.contains("databricks")) => {
                lower(&mut self.name);
            }
            _ => {}
        }
    }
}

/// The package URL of a name and a version in an ecosystem, as text; without a version where that is empty.
pub fn purl(ecosystem: Ecosystem, name: &str, version: &str) -> String {
    let mut purl = Purl::of(&Package::new(ecosystem, name, "", (0, 0)));
    version.clone_into(&mut purl.version);
    purl.normalise();
    purl.to_string()
}

/// Whether an address is the ecosystem's own registry, which a package URL means where it names none.
fn is_own(ecosystem: Ecosystem, url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let own: &[&str] = match ecosystem {
        Ecosystem::RubyGems => &["rubygems.org", "www.rubygems.org", "index.rubygems.org"],
        Ecosystem::Npm => &["registry.npmjs.org", "registry.yarnpkg.com"],
        Ecosystem::Cargo => &["index.crates.io", "crates.io"],
        Ecosystem::PyPi => &["pypi.org", "pypi.python.org", "files.pythonhosted.org"],
        Ecosystem::Composer => &["packagist.org", "repo.packagist.org"],
        Ecosystem::Maven => &["repo.maven.apache.org", "repo1.maven.org"],
        Ecosystem::NuGet => &["api.nuget.org", "www.nuget.org"],
        Ecosystem::Hex => &["repo.hex.pm", "hex.pm"],
        Ecosystem::Pub => &["pub.dev", "pub.dartlang.org"],
        _ => &[],
    };
    own.contains(&host)
        || ecosystem == Ecosystem::Cargo && url.contains("github.com/rust-lang/crates.io-index")
}

/// The parts of a path without empty ones; in a subpath, without those that go nowhere or up.
fn parts(path: &str, subpath: bool) -> String {
    let keep = |part: &&str| !(part.is_empty() || subpath && matches!(*part, "." | ".."));
    path.split('/').filter(keep).collect::<Vec<_>>().join("/")
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Purl, PurlError> {
        if text.len() > LONGEST {
            return Err(PurlError::Long);
        }
        let rest = text.get(..4).filter(|s| s.eq_ignore_ascii_case("pkg:")).map(|_| &text[4..]);
        let rest = rest.ok_or(PurlError::Scheme)?.trim_start_matches('/');
        let (rest, subpath) = rest.rsplit_once('#').unwrap_or((rest, ""));
        let (rest, words) = rest.rsplit_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/').ok_or(PurlError::Type)?;
        let rest = rest.trim_matches('/');
        // An `@` that begins a part is a scope that nobody encoded.
        let (rest, version) = match rest.rfind('@') {
            Some(at) if at > 0 && !rest[..at].ends_with('/') => (&rest[..at], &rest[at + 1..]),
            Some(0) if !rest.contains('/') => ("", &rest[1..]),
            Some(at) if at > 0 && !rest[at..].contains('/') && kind != "npm" => {
                (&rest[..at], &rest[at + 1..])
            }
            _ => (rest, ""),
        };
        // A repository's name is its whole path on the host.
        let halves = if kind == "git" { rest.split_once('/') } else { rest.rsplit_once('/') };
        let (namespace, name) = match halves {
            Some((namespace, name)) => (namespace, name),
            None => ("", rest),
        };
        let mut qualifiers = BTreeMap::new();
        for pair in words.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if qualifiers.insert(key.to_owned(), decode(value)?).is_some() {
                return Err(PurlError::Qualifier);
            }
        }
        let each = |path: &str| -> Result<String, PurlError> {
            Ok(path.split('/').map(decode).collect::<Result<Vec<_>, _>>()?.join("/"))
        };
        Purl {
            kind: kind.to_owned(),
            namespace: each(namespace)?,
            name: each(name)?,
            version: decode(version)?,
            qualifiers,
            subpath: each(subpath)?,
        }
        .checked()
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for part in self.namespace.split('/').filter(|p| !p.is_empty()) {
            write!(f, "{}/", Encoded(part))?;
        }
        match self.kind.as_str() {
            "git" => {
                let parts: Vec<String> = self.name.split('/').map(|p| Encoded(p).to_string()).collect();
                f.write_str(&parts.join("/"))?;
            }
            _ => write!(f, "{}", Encoded(&self.name))?,
        }
        if !self.version.is_empty() {
            write!(f, "@{}", Encoded(&self.version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(f, "{mark}{key}={}", Encoded(value))?;
        }
        for (index, part) in self.subpath.split('/').filter(|p| !p.is_empty()).enumerate() {
            let mark = if index == 0 { '#' } else { '/' };
            write!(f, "{mark}{}", Encoded(part))?;
        }
        Ok(())
    }
}

/// A text in which every byte that is not allowed to stand for itself is written as a number.
struct Encoded<'t>(&'t str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                    write!(f, "{}", byte as char)?;
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}

fn decode(text: &str) -> Result<String, PurlError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digit = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
            let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                return Err(PurlError::Encoding);
            };
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).map_err(|_| PurlError::Encoding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(text: &str) -> String {
        text.parse::<Purl>().map_or_else(|e| format!("{e:?}"), |p| p.to_string())
    }

    #[test]
    fn texts_are_normalised() {
        for (text, expected) in [
            ("pkg:gem/Shop@1.0", "pkg:gem/Shop@1.0"),
            ("PKG://NPM/%40shop/ui@1.0.0", "pkg:npm/%40shop/ui@1.0.0"),
            ("pkg:npm/@shop/ui", "pkg:npm/%40shop/ui"),
            ("pkg:pypi/Shop_Tools@1.0", "pkg:pypi/shop-tools@1.0"),
            ("pkg:composer/Shop/Ui@1", "pkg:composer/shop/ui@1"),
            ("pkg:golang/x.test//shop/ui@v1#/a/../b/", "pkg:golang/x.test/shop/ui@v1#a/b"),
            (
                "pkg:maven/test.x/shop@1?type=jar&Classifier=&a=b%20c",
                "pkg:maven/test.x/shop@1?a=b%20c&type=jar",
            ),
            (
                "pkg:generic/a@1+2?checksum=sha1:aa,sha256:bb",
                "pkg:generic/a@1%2B2?checksum=sha1:aa%2Csha256:bb",
            ),
        ] {
            assert_eq!(same(text), expected);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, error) in [
            ("gem/shop", "Scheme"),
            ("pkg:gem", "Type"),
            ("pkg:9a/shop", "Type"),
            ("pkg:g_m/shop", "Type"),
            ("pkg:gem/", "Name"),
            ("pkg:gem/@1", "Name"),
            ("pkg:gem/a%zz", "Encoding"),
            ("pkg:gem/a%ff", "Encoding"),
            ("pkg:gem/a?b%20c=d", "Qualifier"),
            ("pkg:gem/a?b=1&b=2", "Qualifier"),
            ("pkg:gem/a?é=1", "Qualifier"),
            ("pkg:swift/shop", "Namespace"),
            ("pkg:vcpkg/x/shop", "Namespace"),
            ("", "Scheme"),
            ("pkg", "Scheme"),
        ] {
            assert_eq!(same(text), error, "{text}");
        }
        assert_eq!(same(&format!("pkg:gem/{}", "a".repeat(20_000))), "Long");
    }

    #[test]
    fn of_packages() {
        let of = |ecosystem, name: &str, version: &str, origin: Option<Origin>, platform: &str| {
            let mut package = Package::new(ecosystem, name, version, (0, 0));
            package.platform = platform.to_owned();
            package.origin = origin.unwrap_or(package.origin);
            Purl::of(&package).to_string()
        };
        let git = Origin::Git {
            url: "https://x.test/a.git".into(),
            revision: "abc".into(),
            reference: String::new(),
        };
        assert_eq!(
            of(Ecosystem::RubyGems, "nokogiri", "1.15.0", None, "x86_64-linux"),
            "pkg:gem/nokogiri@1.15.0?platform=x86_64-linux"
        );
        assert_eq!(of(Ecosystem::Npm, "@a/b", "1", None, ""), "pkg:npm/%40a/b@1");
        assert_eq!(of(Ecosystem::Maven, "g.h:a", "1", None, ""), "pkg:maven/g.h/a@1");
        assert_eq!(of(Ecosystem::Go, "x.test/a/b", "1.0.0", None, ""), "pkg:golang/x.test/a/b@v1.0.0");
        assert_eq!(
            of(Ecosystem::Cargo, "a", "", Some(git), ""),
            "pkg:cargo/a?vcs_url=git%2Bhttps:%2F%2Fx.test%2Fa.git%40abc"
        );
        let registry = Some(Origin::Registry("ghcr.io".into()));
        assert_eq!(
            of(Ecosystem::Container, "ghcr.io/o/a", "1", registry, ""),
            "pkg:docker/o/a@1?repository_url=ghcr.io"
        );
        let purl: Purl = "pkg:docker/o/a@1?repository_url=ghcr.io".parse().unwrap();
        assert_eq!(purl.ecosystem(), Some((Ecosystem::Container, "ghcr.io/o/a".to_owned())));
        let purl: Purl = "pkg:generic/ruby@3.4.1".parse().unwrap();
        assert_eq!(purl.ecosystem(), Some((Ecosystem::Runtime, "ruby".to_owned())));
        assert_eq!("pkg:generic/openssl@3".parse::<Purl>().unwrap().ecosystem(), None);
        let purl: Purl = "pkg:maven/g.h/a@1".parse().unwrap();
        assert_eq!(purl.ecosystem(), Some((Ecosystem::Maven, "g.h:a".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "\\PC{0,80}") {
            let _ = text.parse::<Purl>();
            let _ = format!("pkg:npm/{text}").parse::<Purl>();
        }

        #[test]
        fn written_and_read_again(namespace in "[a-z@ %/é]{0,12}", name in "[a-z@ %é#?]{1,12}", version in "[a-z0-9@ %+/é]{0,12}", value in "\\PC{0,12}") {
            let purl = Purl {
                kind: "npm".to_owned(),
                namespace,
                name,
                version,
                qualifiers: [("k".to_owned(), value)].into_iter().collect(),
                subpath: String::new(),
            };
            let purl = purl.checked().unwrap();
            prop_assert_eq!(purl.to_string().parse::<Purl>().unwrap(), purl);
        }
    }
}
