//! What a lockfile leaves to the manifest beside it: what the project itself asks for, and for what.

use rustc_hash::{FxHashMap, FxHashSet};

use super::reading::spread;
use super::{Inventory, file_name};

/// Puts together what a lockfile and the manifests beside it say: a package that a manifest asks for is
/// direct, and where the lockfile knows no groups, the manifest's are handed down to what they need.
///
/// Where one name is locked in several versions, all of them count as what the manifest asks for: which
/// one it is only a reading of the ranges would tell.
pub fn settle(lock: &mut Inventory, manifests: &[&Inventory]) {
    let knows_groups = lock.packages.iter().any(|p| !p.groups.is_empty());
    let knows_direct = lock.packages.iter().any(|p| p.direct);
    let mut index: FxHashMap<String, Vec<usize>> = FxHashMap::default();
    for (i, package) in lock.packages.iter().enumerate() {
        index.entry(package.name.to_lowercase()).or_default().push(i);
    }
    let mut roots = Vec::new();
    for ask in manifests.iter().flat_map(|m| &m.asks) {
        let Some(found) = index.get(&ask.requirement.name.to_lowercase()) else { continue };
        // A lockfile that tells what is direct tells it of each version.
        let meant = found.iter().filter(|i| !knows_direct || found.len() == 1 || lock.packages[**i].direct);
        for package in meant {
            if ask.groups.is_empty() {
                roots.push((*package, String::new()));
            }
            roots.extend(ask.groups.iter().map(|g| (*package, g.clone())));
        }
    }
    // Where these manifests do not ask for all that is direct, others do, and perhaps without a group.
    let asked: FxHashSet<usize> = roots.iter().map(|(package, _)| *package).collect();
    let others = lock.packages.iter().enumerate().any(|(i, p)| p.direct && !asked.contains(&i));
    if knows_groups || others {
        for (package, _) in roots {
            lock.packages[package].direct = true;
        }
        return;
    }
    let edges = lock.edges();
    spread(&mut lock.packages, &edges, &roots);
}

/// Whether another file beside this one says the same and better, so that this one's packages are not to
/// be counted: `go.sum` names more than is built, a version catalogue only what is asked for.
///
/// `exists` tells whether there is a file at a path that is made as the given one is.
pub fn shadows(path: &str, exists: impl Fn(&str) -> bool) -> bool {
    let name = file_name(path);
    let folder = &path[..path.len() - name.len()];
    let beside = |other: &str| exists(&format!("{folder}{other}"));
    match name {
        "go.sum" => beside("go.mod"),
        "package-lock.json" => beside("npm-shrinkwrap.json"),
        "libs.versions.toml" => {
            let above = folder.strip_suffix("gradle/").unwrap_or(folder);
            exists(&format!("{above}gradle.lockfile"))
        }
        _ if [".csproj", ".fsproj", ".vbproj"].iter().any(|e| name.ends_with(e)) => {
            beside("packages.lock.json")
        }
        _ => name.strip_suffix(".in").is_some_and(|stem| beside(&format!("{stem}.txt"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::format_of;

    fn read(path: &str, text: &str) -> Inventory {
        (format_of(path).unwrap().read)(&path.into(), text.as_bytes())
    }

    #[test]
    fn a_manifest_tells_what_the_lockfile_does_not() {
        let mut lock = read(
            "yarn.lock",
            "a@^1:\n  version \"1.0.0\"\n  dependencies:\n    c \"*\"\n\nb@^1:\n  version \"1.0.0\"\n  dependencies:\n    c \"*\"\n    d \"*\"\n\nc@*:\n  version \"1.0.0\"\n\nd@*:\n  version \"1.0.0\"\n",
        );
        let manifest =
            read("package.json", r#"{"dependencies": {"a": "^1"}, "devDependencies": {"b": "^1"}}"#);
        settle(&mut lock, &[&manifest]);
        let told: Vec<_> = lock.packages.iter().map(|p| (p.direct, p.groups.join(","))).collect();
        assert_eq!(
            told,
            [(true, String::new()), (true, "dev".into()), (false, String::new()), (false, "dev".into())]
        );
    }

    #[test]
    fn files_that_say_less() {
        let files = ["go.mod", "a/gradle.lockfile", "requirements.txt"];
        let exists = |path: &str| files.contains(&path);
        assert!(shadows("go.sum", exists));
        assert!(!shadows("b/go.sum", exists));
        assert!(shadows("a/gradle/libs.versions.toml", exists));
        assert!(shadows("requirements.in", exists));
        assert!(!shadows("requirements.txt", exists));
    }
}
