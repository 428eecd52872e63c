//! npm: `package.json` and the three ages of `package-lock.json`.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::document::Node;
use super::reading::Reading;
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[
    Format {
        name: "package-lock.json",
        ecosystem: Ecosystem::Npm,
        locks: true,
        matches: |path| matches!(file_name(path), "package-lock.json" | "npm-shrinkwrap.json"),
        read: read_lock,
    },
    Format {
        name: "package.json",
        ecosystem: Ecosystem::Npm,
        locks: false,
        matches: |path| file_name(path) == "package.json",
        read: read_manifest,
    },
];

/// The lists of a manifest and the group that each is.
pub const LISTS: [(&str, &str); 4] = [
    ("dependencies", ""),
    ("devDependencies", "dev"),
    ("optionalDependencies", "optional"),
    ("peerDependencies", "peer"),
];

fn read_manifest(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| {
        asks(reading, root);
        for (name, node) in root.entries_of("engines") {
            let name = if name.text == "node" { "nodejs" } else { &name.text };
            reading.runtime(name, node.text());
        }
    })
}

/// Takes in what one manifest, or the copy of it in a lockfile, asks for.
pub fn asks(reading: &mut Reading<'_>, manifest: &Node<'_>) {
    let optional: FxHashSet<&str> =
        manifest.entries_of("optionalDependencies").iter().map(|(name, _)| &*name.text).collect();
    for (list, group) in LISTS {
        for (name, node) in manifest.entries_of(list) {
            // npm repeats optional ones among the others in its lockfiles.
            if list == "dependencies" && optional.contains(&*name.text) {
                continue;
            }
            let (name_asked, range, origin) = specifier(&name.text, node.text());
            let mut ask = Dependency::new(name_asked, range, name.span).in_group(group);
            ask.origin = origin;
            reading.ask(ask);
        }
    }
}

/// The package, range and origin that a specifier means: an alias names another package, and an address
/// or a folder stands where a range would.
pub fn specifier(name: &str, words: &str) -> (String, String, Origin) {
    let registry = Origin::Registry(String::new());
    if let Some(real) = words.strip_prefix("npm:") {
        let (real, range) = split_descriptor(real);
        return (real.to_owned(), range.to_owned(), registry);
    }
    if let Some(path) = ["file:", "link:", "portal:", "workspace:"].iter().find_map(|p| words.strip_prefix(p))
    {
        return (name.to_owned(), words.to_owned(), Origin::Path(path.to_owned()));
    }
    if words.starts_with("./") || words.starts_with("../") || words.starts_with("~/") {
        return (name.to_owned(), words.to_owned(), Origin::Path(words.to_owned()));
    }
    match address(words) {
        Some(origin) => (name.to_owned(), words.to_owned(), origin),
        None => (name.to_owned(), words.to_owned(), registry),
    }
}

/// `@scope/name@range` in two; the range is empty where there is none.
pub fn split_descriptor(words: &str) -> (&str, &str) {
    match words.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => (&words[..at + 1], &words[at + 2..]),
        None => (words, ""),
    }
}

/// The repository or file that a specifier or a `resolved` field names; none for a range.
pub fn address(words: &str) -> Option<Origin> {
    let (base, hash) = words.split_once('#').unwrap_or((words, ""));
    let commit = |hash: &str| {
        let hex = hash.strip_prefix("commit=").unwrap_or(hash);
        let hex = hex.split('&').next().unwrap_or(hex);
        if hex.len() >= 7 && hex.len() <= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            (hex.to_owned(), String::new())
        } else {
            (String::new(), hash.to_owned())
        }
    };
    let git = |url: String| {
        let (revision, reference) = commit(hash);
        Some(Origin::Git { url, revision, reference })
    };
    for (prefix, host) in
        [("github:", "github.com"), ("gitlab:", "gitlab.com"), ("bitbucket:", "bitbucket.org")]
    {
        if let Some(repository) = base.strip_prefix(prefix) {
            return git(format!("https://{host}/{repository}"));
        }
    }
    if let Some(url) = base.strip_prefix("git+") {
        return git(url.to_owned());
    }
    if base.starts_with("git:") || base.starts_with("git@") || base.starts_with("ssh:") {
        return git(base.to_owned());
    }
    if base.starts_with("http://") || base.starts_with("https://") {
        if base.ends_with(".git") {
            return git(base.to_owned());
        }
        if let Some((url, revision)) = codeload(base) {
            let (revision, reference) = commit(&revision);
            return Some(Origin::Git { url, revision, reference });
        }
        return Some(Origin::Url(base.to_owned()));
    }
    let mut parts = base.split('/');
    let named = |part: Option<&str>| {
        part.is_some_and(|p| {
            !p.is_empty()
                && !p.starts_with(['@', '.', '^', '~', '<', '>', '='])
                && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
    };
    if named(parts.next()) && named(parts.next()) && parts.next().is_none() {
        return git(format!("https://github.com/{base}"));
    }
    None
}

/// A tarball that a forge makes of a commit is that commit.
fn codeload(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://codeload.github.com/")?;
    let mut parts = rest.splitn(4, '/');
    let (owner, name, _, revision) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((format!("https://github.com/{owner}/{name}"), revision.to_owned()))
}

/// The origin that a `resolved` address tells. The registry's own addresses are its tarballs.
pub fn resolved(url: &str) -> Origin {
    let Some((host, _)) = url.split_once("/-/") else {
        return match address(url) {
            Some(origin) => origin,
            None if url.starts_with("file:") => Origin::Path(url["file:".len()..].to_owned()),
            None => Origin::Registry(String::new()),
        };
    };
    // What stands before `/-/` is the registry and the package's name.
    let scoped = host.rsplit('/').nth(1).is_some_and(|p| p.starts_with('@'));
    let parts = if scoped { 2 } else { 1 };
    let registry = host.rsplitn(parts + 1, '/').last().unwrap_or(host);
    match registry {
        "https://registry.npmjs.org" | "https://registry.yarnpkg.com" => Origin::Registry(String::new()),
        other => Origin::Registry(other.to_owned()),
    }
}

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::json(file, bytes, |reading, root| match root.get("packages") {
        Some(packages) if packages.is_map() => read_paths(reading, packages),
        _ => {
            let mut by_path = FxHashMap::default();
            let mut paths = Vec::new();
            read_nested(reading, root, "", &mut by_path, &mut paths);
            link(reading, &by_path, &paths);
        }
    })
}

/// Versions 2 and 3: every package under the folder it is installed in.
fn read_paths(reading: &mut Reading<'_>, packages: &Node<'_>) {
    let mut by_path = FxHashMap::default();
    let mut paths = Vec::new();
    let mut roots: Vec<(&str, &Node<'_>)> = Vec::new();
    for (path, node) in packages.entries() {
        let Some(at) = path.text.rfind("node_modules/") else {
            // The project itself, and the members of its workspace.
            roots.push((&path.text, node));
            asks(reading, node);
            for (name, engine) in node.entries_of("engines") {
                if name.text == "node" {
                    reading.runtime("nodejs", engine.text());
                }
            }
            continue;
        };
        if node.flag("link") {
            continue;
        }
        let installed = &path.text[at + "node_modules/".len()..];
        let name = match node.text_of("name") {
            "" => installed,
            real => real,
        };
        let mut package = Package::new(Ecosystem::Npm, name, node.text_of("version"), path.span);
        entry(&mut package, node);
        package.install_script = node.flag("hasInstallScript");
        for list in ["dependencies", "optionalDependencies"] {
            for (name, range) in node.entries_of(list) {
                package.requires.push(Requirement::new(&*name.text, range.text()));
            }
        }
        if let Some(index) = reading.package(package) {
            by_path.insert(path.text.to_string(), index);
            paths.push(path.text.to_string());
            reading.licence(Some(index), node.text_of("license"));
            if node.flag("inBundle") {
                reading.found.bundled.push(index);
            }
        }
    }
    link(reading, &by_path, &paths);
    for (folder, node) in roots {
        for (list, _) in LISTS {
            for (name, _) in node.entries_of(list) {
                if let Some(index) = found_from(&by_path, folder, &name.text) {
                    reading.found.packages[index].direct = true;
                }
            }
        }
    }
}

/// Finds for every package which ones it gets of those that it asks for.
fn link(reading: &mut Reading<'_>, by_path: &FxHashMap<String, usize>, paths: &[String]) {
    let needs = reading.found.packages.iter().zip(paths).map(|(package, path)| {
        package.requires.iter().filter_map(|r| found_from(by_path, path, &r.name)).collect()
    });
    reading.found.needs = needs.collect();
}

/// As Node looks a package up: in the folder's own `node_modules`, then in those of the folders above.
fn found_from(by_path: &FxHashMap<String, usize>, folder: &str, name: &str) -> Option<usize> {
    let mut folder = folder;
    // Longer than a file system allows: climbing it step by step would take for ever.
    if folder.len() > 4096 {
        return None;
    }
    loop {
        let path = match folder {
            "" => format!("node_modules/{name}"),
            _ => format!("{folder}/node_modules/{name}"),
        };
        if let Some(index) = by_path.get(path.as_str()) {
            return Some(*index);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// What all versions say of a package in the same words.
fn entry(package: &mut Package, node: &Node<'_>) {
    package.checksum = node.text_of("integrity").to_owned();
    package.origin = resolved(node.text_of("resolved"));
    for (flag, groups) in [
        ("dev", &["dev"][..]),
        ("optional", &["optional"]),
        ("devOptional", &["dev", "optional"]),
        ("peer", &["peer"]),
    ] {
        if node.flag(flag) {
            package.groups.extend(groups.iter().map(|g| (*g).to_owned()));
        }
    }
}

/// Version 1: packages within the packages that brought them.
fn read_nested(
    reading: &mut Reading<'_>,
    parent: &Node<'_>,
    folder: &str,
    by_path: &mut FxHashMap<String, usize>,
    paths: &mut Vec<String>,
) {
    for (name, node) in parent.entries_of("dependencies") {
        let path = match folder {
            "" => format!("node_modules/{}", name.text),
            _ => format!("{folder}/node_modules/{}", name.text),
        };
        let written = node.text_of("version");
        let (real, version) = match written.strip_prefix("npm:") {
            Some(alias) => split_descriptor(alias),
            None => (&*name.text, written),
        };
        let mut package = Package::new(Ecosystem::Npm, real, version, name.span);
        entry(&mut package, node);
        if version.starts_with("file:") {
            // A folder of the project: what it needs is installed, it itself is not published.
            read_nested(reading, node, &path, by_path, paths);
            continue;
        }
        if !version.starts_with(|c: char| c.is_ascii_digit())
            && let Some(origin) = address(version)
        {
            package.origin = origin;
            package.version = String::new();
        }
        for (name, range) in node.entries_of("requires") {
            package.requires.push(Requirement::new(&*name.text, range.text()));
        }
        if let Some(index) = reading.package(package) {
            by_path.insert(path.clone(), index);
            paths.push(path.clone());
            if node.flag("bundled") {
                reading.found.bundled.push(index);
            }
        }
        read_nested(reading, node, &path, by_path, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Inventory {
        let path: Arc<str> = name.into();
        (super::super::format_of(name).unwrap().read)(&path, text.as_bytes())
    }

    #[test]
    fn a_lockfile_of_version_3() {
        let text = r#"{"name": "shop", "lockfileVersion": 3, "packages": {
            "": {"name": "shop", "dependencies": {"left": "^1.0.0", "ui": "*"}, "devDependencies": {"probe": "~2"},
                 "engines": {"node": ">=20"}},
            "packages/ui": {"name": "ui", "version": "0.1.0", "dependencies": {"deep": "1"}},
            "node_modules/ui": {"resolved": "packages/ui", "link": true},
            "node_modules/left": {"version": "1.2.0", "resolved": "https://registry.npmjs.org/left/-/left-1.2.0.tgz",
                 "integrity": "sha512-aa==", "license": "MIT", "dependencies": {"@s/deep": "^3"}},
            "node_modules/left/node_modules/@s/deep": {"version": "3.0.0",
                 "resolved": "https://npm.shop.test/r/@s/deep/-/deep-3.0.0.tgz", "hasInstallScript": true},
            "node_modules/deep": {"version": "1.0.0", "optional": true},
            "node_modules/other": {"name": "real", "version": "9.0.0", "devOptional": true},
            "node_modules/probe": {"version": "2.0.1", "dev": true,
                 "resolved": "git+ssh://git@github.com/a/probe.git#0123456789abcdef0123456789abcdef01234567"}}}"#;
        let found = read("app/package-lock.json", text);
        assert_eq!(found.problems, []);
        let of = |name: &str| found.packages.iter().find(|p| p.name == name).unwrap();
        assert_eq!(found.packages.len(), 5);
        assert!(of("left").direct && of("probe").direct && of("deep").direct && !of("@s/deep").direct);
        assert_eq!(of("left").checksum, "sha512-aa==");
        assert_eq!(of("left").requires, [Requirement::new("@s/deep", "^3")]);
        assert_eq!(of("@s/deep").origin, Origin::Registry("https://npm.shop.test/r".into()));
        assert!(of("@s/deep").install_script);
        assert_eq!(of("real").groups, ["dev", "optional"]);
        assert!(matches!(&of("probe").origin, Origin::Git { revision, .. } if revision.len() == 40));
        assert_eq!(found.needs[0], [1]);
        assert_eq!(found.runtimes, [("nodejs".to_owned(), ">=20".to_owned())]);
        assert_eq!(found.licences, [(0, "MIT".to_owned())]);
        let (start, end) = of("left").span;
        assert_eq!(&text[start as usize..end as usize], "node_modules/left");
    }

    #[test]
    fn a_lockfile_of_version_1() {
        let text = r#"{"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "integrity": "sha1-x", "dev": true, "requires": {"b": "^2.0.0"},
                  "dependencies": {"b": {"version": "2.1.0", "dev": true}}},
            "b": {"version": "1.9.0", "optional": true},
            "c": {"version": "npm:@x/real@4.0.0"},
            "d": {"version": "github:o/d#abcdef0123456789", "from": "github:o/d"}}}"#;
        let found = read("package-lock.json", text);
        let names: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(names, [("a", "1.0.0"), ("b", "2.1.0"), ("b", "1.9.0"), ("@x/real", "4.0.0"), ("d", "")]);
        assert_eq!(found.needs[0], [1]);
        assert_eq!(found.packages[1].groups, ["dev"]);
        assert_eq!(
            found.packages[4].origin,
            Origin::Git {
                url: "https://github.com/o/d".into(),
                revision: "abcdef0123456789".into(),
                reference: String::new()
            }
        );
    }

    #[test]
    fn a_manifest() {
        let text = r#"{"dependencies": {"a": "^1", "b": "o/b#main", "c": "npm:d@2", "e": "file:../e", "f": "http://x.test/f.tgz"},
            "devDependencies": {"g": "git://x.test/g.git"}, "engines": {"node": "18.x"}}"#;
        let found = read("package.json", text);
        let of = |name: &str| found.asks.iter().find(|a| a.requirement.name == name).unwrap();
        assert_eq!(of("a").requirement.range, "^1");
        assert!(matches!(&of("b").origin, Origin::Git { reference, .. } if reference == "main"));
        assert_eq!(of("d").requirement.range, "2");
        assert_eq!(of("e").origin, Origin::Path("../e".into()));
        assert_eq!(of("f").origin, Origin::Url("http://x.test/f.tgz".into()));
        assert_eq!(of("g").groups, ["dev"]);
    }
}
