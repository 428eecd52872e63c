//! Libraries, system packages and images as reports name them, with the package URL where the ecosystem is known.

use wardroom_model::Package;

use crate::wording::first;

/// A package. `ecosystem` is what the report calls it: `npm`, `Maven`, `debian:11`, `go-module`; the package URL is
/// empty where that is none that is known. None without a name.
pub(crate) fn package(ecosystem: &str, name: &str, version: &str) -> Option<Package> {
    let (name, version) = (clean(name), clean(version));
    let purl = purl(ecosystem, &name, &version);
    (!name.is_empty()).then_some(Package { name, version, purl })
}

/// A package with the package URL that the report itself gives; the built one where it gives none.
pub(crate) fn package_at(purl: &str, ecosystem: &str, name: &str, version: &str) -> Option<Package> {
    let built = package(ecosystem, name, version)?;
    let purl = clean(purl);
    let given = if purl.starts_with("pkg:") { versioned(purl, &built.version) } else { String::new() };
    Some(Package { purl: first([given, built.purl]), ..built })
}

/// What to do about a weak package, by the versions in which it is mended.
pub(crate) fn upgrade(name: &str, fixed: &[String]) -> String {
    let fixed: Vec<&str> = fixed.iter().map(|f| f.trim()).filter(|f| !f.is_empty()).collect();
    match fixed.is_empty() {
        true => format!("There is no mended version yet: remove {name} or replace it."),
        false => format!("Upgrade {name} to {}.", fixed.join(" or ")),
    }
}

/// The package that a package URL names; none where the text is no package URL.
pub(crate) fn of_purl(purl: &str) -> Option<Package> {
    let purl = clean(purl);
    let path = purl.strip_prefix("pkg:")?.split(['?', '#']).next()?;
    let (kind, path) = path.split_once('/')?;
    let (path, version) = match path.rfind('@').filter(|at| *at > 0 && !path[..*at].ends_with('/')) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, ""),
    };
    let decoded = decoded(path);
    let name = match kind {
        "maven" => decoded.replacen('/', ":", 1),
        // The first part is the distribution, not the package.
        "deb" | "rpm" | "apk" => decoded.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => decoded,
    };
    let version = self::decoded(version);
    (!name.is_empty()).then_some(Package { name, version, purl: purl.clone() })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A package URL with the version put in where it has none.
fn versioned(purl: String, version: &str) -> String {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let (path, rest) = purl.split_at(end);
    let name = path.rsplit('/').next().unwrap_or(path);
    // `@` at the front of a name is npm's scope.
    if version.is_empty() || name.trim_start_matches('@').contains('@') {
        return purl;
    }
    format!("{path}@{}{rest}", encoded(version))
}

/// Without control characters, which some scanners read out of binaries.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// `pkg:npm/%40babel/core@7.0.0`; empty where the ecosystem is none that is known.
fn purl(ecosystem: &str, name: &str, version: &str) -> String {
    let Some((kind, space)) = kind(ecosystem) else { return String::new() };
    if name.is_empty() {
        return String::new();
    }
    let name = match kind {
        // A Maven name is group and artifact.
        "maven" => name.replacen(':', "/", 1),
        "pypi" => name.to_ascii_lowercase().replace('_', "-"),
        _ => name.to_owned(),
    };
    let path = name.split('/').filter(|p| !p.is_empty()).map(encoded).collect::<Vec<_>>().join("/");
    let space = if space.is_empty() { String::new() } else { format!("{space}/") };
    let version = if version.is_empty() { String::new() } else { format!("@{}", encoded(version)) };
    format!("pkg:{kind}/{space}{path}{version}")
}

/// The type of the package URL and its first part, for the words that tools use.
fn kind(ecosystem: &str) -> Option<(&'static str, &'static str)> {
    let word = ecosystem.to_ascii_lowercase();
    // `debian:11`, `debian 10.9`, `Alpine:v3.18`
    let family = word.split([':', ' ']).next().unwrap_or_default();
    Some(match family {
        "npm" | "node" | "node-pkg" | "nodejs" | "javascript" | "js" | "yarn" | "pnpm" => ("npm", ""),
        "gem" | "rubygems" | "bundler" | "ruby" | "gemspec" => ("gem", ""),
        "pip" | "pypi" | "python" | "python-pkg" | "pipenv" | "poetry" | "setuptools" | "uv" => ("pypi", ""),
        "maven" | "gradle" | "java" | "jar" | "sbt" | "pom" | "java-archive" => ("maven", ""),
        "go" | "golang" | "gomod" | "gomodules" | "go-module" | "gobinary" | "gradle-go" => ("golang", ""),
        "cargo" | "crates.io" | "rust" | "rust-crate" | "rustbinary" => ("cargo", ""),
        "composer" | "packagist" | "php" | "php-composer" => ("composer", ""),
        "nuget" | "dotnet" | "dotnet-core" | ".net" => ("nuget", ""),
        "hex" | "mix" | "elixir" => ("hex", ""),
        "pub" | "dart" => ("pub", ""),
        "swift" | "swifturl" => ("swift", ""),
        "cocoapods" => ("cocoapods", ""),
        "conan" | "conancenter" => ("conan", ""),
        "debian" => ("deb", "debian"),
        "ubuntu" => ("deb", "ubuntu"),
        "alpine" => ("apk", "alpine"),
        "wolfi" => ("apk", "wolfi"),
        "chainguard" => ("apk", "chainguard"),
        "redhat" | "rhel" => ("rpm", "redhat"),
        "centos" => ("rpm", "centos"),
        "fedora" => ("rpm", "fedora"),
        "rocky" => ("rpm", "rocky"),
        "alma" | "almalinux" => ("rpm", "almalinux"),
        "amazon" => ("rpm", "amazon"),
        "oracle" => ("rpm", "oracle"),
        "opensuse" | "opensuse.leap" => ("rpm", "opensuse"),
        _ => return None,
    })
}

/// Percent-encoded as package URLs want it.
fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() => out.push(char::from(b)),
            b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_ecosystem_become_package_urls() {
        for (ecosystem, name, version, expected) in [
            ("npm", "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0"),
            ("Maven", "org.apache:commons", "1.0+b", "pkg:maven/org.apache/commons@1.0%2Bb"),
            ("debian:11", "libc6", "2:2.28-10", "pkg:deb/debian/libc6@2:2.28-10"),
            ("go-module", "golang.org/x/net", "v0.9.0", "pkg:golang/golang.org/x/net@v0.9.0"),
            ("unheard-of", "a", "1", ""),
        ] {
            assert_eq!(package(ecosystem, name, version).unwrap().purl, expected);
        }
        assert_eq!(package("npm", " ", "1"), None);
    }

    #[test]
    fn package_urls_are_taken_apart() {
        let parts = |purl: &str| of_purl(purl).map(|p| (p.name, p.version));
        let some = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parts("pkg:npm/%40babel/core@7.0.0"), some("@babel/core", "7.0.0"));
        assert_eq!(parts("pkg:npm/@babel/core"), some("@babel/core", ""));
        assert_eq!(parts("pkg:maven/org.a/b@1?type=jar"), some("org.a:b", "1"));
        assert_eq!(parts("pkg:deb/debian/libc6@2%3A2.28"), some("libc6", "2:2.28"));
        assert_eq!(parts("golang.org/x/net"), None);
    }

    #[test]
    fn the_given_package_url_gets_the_version_that_it_lacks() {
        let purl = |given: &str| package_at(given, "", "a", "1.0").unwrap().purl;
        assert_eq!(purl("pkg:npm/a"), "pkg:npm/a@1.0");
        assert_eq!(purl("pkg:npm/@b/a"), "pkg:npm/@b/a@1.0");
        assert_eq!(purl("pkg:rpm/rhel/a@0.9?arch=x"), "pkg:rpm/rhel/a@0.9?arch=x");
        assert_eq!(purl("pkg:deb/a?arch=x"), "pkg:deb/a@1.0?arch=x");
    }
}
