//! Images of containers: what a `Dockerfile` builds on and copies from, and what a compose file runs.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::document::Node;
use super::reading::{Reading, shown, span};
use super::{Format, Inventory, file_name};
use crate::{Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: "Dockerfile",
        ecosystem: Ecosystem::Container,
        locks: true,
        matches: |path| {
            let name = file_name(path);
            let is = |word: &str| {
                name == word
                    || name.strip_prefix(word).is_some_and(|r| r.starts_with(['.', '-', '_']))
                    || name.strip_suffix(word).is_some_and(|r| r.ends_with('.'))
            };
            (is("Dockerfile") || is("Containerfile") || name.ends_with(".dockerfile"))
                && ![".dockerignore", ".erb", ".tt", ".j2", ".md"].iter().any(|e| name.ends_with(e))
        },
        read: read_dockerfile,
    },
    Format {
        name: "compose.yaml",
        ecosystem: Ecosystem::Container,
        locks: true,
        matches: |path| {
            let name = file_name(path);
            let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
            stem.is_some_and(|s| {
                let s = s.strip_prefix("docker-").unwrap_or(s);
                s == "compose" || s.starts_with("compose.") || s.starts_with("compose-")
            })
        },
        read: |file, bytes| Reading::yaml(file, bytes, compose),
    },
];

/// Longest name of an image that variables may make, in bytes.
const LONGEST: usize = 1024;

/// An image as a package: the registry stays in the name unless it is Docker's own, the tag is the
/// version, the digest the checksum. None where it is no image's name or a variable is left in it.
pub fn image(words: &str, at: (u32, u32)) -> Option<Package> {
    let words = words.strip_prefix("docker://").unwrap_or(words);
    let (name, digest) = words.split_once('@').unwrap_or((words, ""));
    // A colon in front of the last slash belongs to a port.
    let slash = name.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match name[slash..].find(':') {
        Some(colon) => (&name[..slash + colon], &name[slash + colon + 1..]),
        None => (name, ""),
    };
    let host =
        name.split_once('/').map(|(host, _)| host).filter(|h| h.contains(['.', ':']) || *h == "localhost");
    let short =
        name.strip_prefix("docker.io/").or_else(|| name.strip_prefix("index.docker.io/")).unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if short.is_empty()
        || !short.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !short.chars().all(plain)
        || !tag.chars().all(plain)
    {
        return None;
    }
    let mut package = Package::new(Ecosystem::Container, short, tag, at);
    package.checksum = digest.to_owned();
    package.direct = true;
    package.origin = match host {
        Some(host) if !host.ends_with("docker.io") => Origin::Registry(host.to_owned()),
        _ => Origin::Registry(String::new()),
    };
    Some(package)
}

/// Puts variables in: `$NAME`, `${NAME}`, `${NAME:-default}`. What is not known stays as it is written.
pub fn expand(words: &str, known: &FxHashMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let name_of =
            |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, default, length) = if let Some(inner) = after.strip_prefix('{') {
            let Some(end) = closing_brace(inner) else { break };
            let inner = &inner[..end];
            let cut = name_of(inner);
            let (name, operator) = inner.split_at(cut);
            let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
            (name, default, end + 3)
        } else {
            let cut = name_of(after);
            (&after[..cut], None, cut + 1)
        };
        match (known.get(name).filter(|v| !v.is_empty()), default) {
            (Some(value), _) => out.push_str(value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => out.push_str(&rest[at..at + length]),
        }
        rest = &rest[at + length..];
        if out.len() > LONGEST {
            return words.to_owned();
        }
    }
    out.push_str(rest);
    out
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn read_dockerfile(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut arguments: FxHashMap<String, String> = FxHashMap::default();
        let mut stages: FxHashSet<String> = FxHashSet::default();
        let mut begun = false;
        let mut ends: Vec<String> = Vec::new();
        let mut escape = '\\';
        let mut instruction = String::new();
        let mut start = 0;
        for (at, line) in reading.lines() {
            if reading.full {
                break;
            }
            let words = line.trim();
            // The text of a here-document is no instruction.
            if let Some(end) = ends.first() {
                if words == end {
                    ends.remove(0);
                }
                continue;
            }
            if let Some(comment) = words.strip_prefix('#') {
                if comment.trim().to_ascii_lowercase().replace(' ', "") == "escape=`" && !begun {
                    escape = '`';
                }
                continue;
            }
            if words.is_empty() {
                continue;
            }
            begun = true;
            if instruction.is_empty() {
                start = at + line.find(words).unwrap_or(0);
            }
            if instruction.len() > 64 * 1024 {
                instruction.clear();
                reading.problem(at, "An instruction is longer than is read.");
            }
            match words.strip_suffix(escape) {
                Some(part) => {
                    instruction.push_str(part);
                    instruction.push(' ');
                }
                None => {
                    instruction.push_str(words);
                    let whole = std::mem::take(&mut instruction);
                    ends = here_documents(&whole);
                    take(reading, &whole, start, &mut arguments, &mut stages);
                }
            }
        }
        take(reading, &instruction, start, &mut arguments, &mut stages);
    })
}

fn here_documents(instruction: &str) -> Vec<String> {
    let verb = instruction.split_whitespace().next().unwrap_or("").to_ascii_uppercase();
    if !matches!(verb.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    instruction
        .split("<<")
        .skip(1)
        .filter_map(|rest| {
            let rest = rest.trim_start_matches('-');
            let rest = rest.trim_start_matches(['"', '\'']);
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (end > 0 && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
                .then(|| rest[..end].to_owned())
        })
        .collect()
}

fn take(
    reading: &mut Reading<'_>,
    instruction: &str,
    start: usize,
    arguments: &mut FxHashMap<String, String>,
    stages: &mut FxHashSet<String>,
) {
    let mut words = instruction.split_whitespace();
    let verb = words.next().unwrap_or("").to_ascii_uppercase();
    match verb.as_str() {
        // Only those in front of the first stage count for `FROM`; later ones may say the same again.
        "ARG" if stages.is_empty() => {
            for word in words {
                if let Some((name, value)) = word.split_once('=') {
                    let value = expand(value.trim_matches(['"', '\'']), arguments);
                    arguments.insert(name.to_owned(), value);
                }
            }
        }
        "FROM" => {
            let mut platform = "";
            let mut words = words.peekable();
            while let Some(flag) = words.next_if(|w| w.starts_with("--")) {
                platform = flag.strip_prefix("--platform=").unwrap_or(platform);
            }
            let Some(written) = words.next() else {
                reading.problem(start, "`FROM` names no image.");
                return;
            };
            let name = match (words.next(), words.next()) {
                (Some(keyword), Some(name)) if keyword.eq_ignore_ascii_case("as") => name.to_lowercase(),
                _ => String::new(),
            };
            let at = place(reading.text, start, written);
            add(reading, written, at, platform, arguments, stages);
            stages.insert(name);
        }
        "COPY" | "ADD" | "RUN" => {
            for word in words.take_while(|w| w.starts_with("--")) {
                let from = word.strip_prefix("--from=").or_else(|| {
                    word.strip_prefix("--mount=")
                        .and_then(|m| m.split(',').find_map(|p| p.strip_prefix("from=")))
                });
                if let Some(written) = from
                    && written.parse::<usize>().is_err()
                {
                    let at = place(reading.text, start, written);
                    add(reading, written, at, "", arguments, stages);
                }
            }
        }
        _ => {}
    }
}

/// Where in the text a word of an instruction stands.
fn place(text: &str, start: usize, word: &str) -> (u32, u32) {
    let at = text[start.min(text.len())..].find(word).map_or(start, |i| start + i);
    span(at, at + word.len())
}

fn add(
    reading: &mut Reading<'_>,
    written: &str,
    at: (u32, u32),
    platform: &str,
    arguments: &FxHashMap<String, String>,
    stages: &FxHashSet<String>,
) {
    let words = expand(written.trim_matches(['"', '\'']), arguments);
    if words == "scratch" || words.is_empty() || stages.contains(&words.to_lowercase()) {
        return;
    }
    // A variable without a value is filled in when the image is built: nobody can tell here.
    if words.contains('$') {
        return;
    }
    match image(&words, at) {
        Some(mut package) => {
            package.platform = if platform.contains('$') { String::new() } else { platform.to_owned() };
            reading.package(package);
        }
        None => {
            let shown = shown(&words);
            reading.problem(at.0 as usize, format!("`{shown}` is no name of an image."));
        }
    }
}

fn compose(reading: &mut Reading<'_>, root: &Node<'_>) {
    let nothing = FxHashMap::default();
    // The first compose files name their services at the top.
    let services = root.get("services").map_or_else(|| root.entries(), Node::entries);
    for (_, service) in services {
        let Some(node) = service.get("image") else { continue };
        // An image that is built here is only called so.
        if service.get("build").is_some() || node.text().is_empty() {
            continue;
        }
        let words = expand(node.text(), &nothing);
        if words.contains('$') {
            continue;
        }
        match image(&words, node.span) {
            Some(mut package) => {
                package.platform = service.text_of("platform").to_owned();
                reading.package(package);
            }
            None => {
                let shown = shown(&words);
                reading.problem(node.span.0 as usize, format!("`{shown}` is no name of an image."));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images() {
        let read = |words| {
            let package = image(words, (0, 0)).unwrap();
            (package.name, package.version, package.checksum, package.origin)
        };
        let own = Origin::Registry(String::new());
        assert_eq!(read("ruby:3.2-slim"), ("ruby".into(), "3.2-slim".into(), String::new(), own.clone()));
        assert_eq!(read("docker.io/library/ruby"), ("ruby".into(), String::new(), String::new(), own));
        assert_eq!(
            read("localhost:5000/a/b:1@sha256:aa"),
            (
                "localhost:5000/a/b".into(),
                "1".into(),
                "sha256:aa".into(),
                Origin::Registry("localhost:5000".into())
            )
        );
        assert!(image("a b", (0, 0)).is_none());
        assert!(image("$X", (0, 0)).is_none());
    }

    #[test]
    fn a_dockerfile() {
        let text = "# escape=\\\nARG RUBY=3.2\nARG BASE=ruby:${RUBY}-slim\nFROM --platform=linux/amd64 $BASE AS base\nRUN <<EOT bash\nFROM nothing:1\nEOT\nFROM node:20 as assets\nFROM \\\n  base\nCOPY --from=assets /a /a\nCOPY --from=busybox:1.36 /b /b\nCOPY --from=0 /c /c\nFROM ${UNKNOWN}\nFROM scratch\nFROM ${REGISTRY:-ghcr.io}/o/app@sha256:aabb\n";
        let path: Arc<str> = "docker/Dockerfile.web".into();
        let found = read_dockerfile(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.checksum.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("ruby", "3.2-slim", ""),
                ("node", "20", ""),
                ("busybox", "1.36", ""),
                ("ghcr.io/o/app", "", "sha256:aabb")
            ]
        );
        assert_eq!(found.packages[0].platform, "linux/amd64");
        let (start, end) = found.packages[1].span;
        assert_eq!(&text[start as usize..end as usize], "node:20");
        for path in ["Dockerfile", "a/Dockerfile.dev", "web.Dockerfile", "Containerfile", "x.dockerfile"] {
            assert!((FORMATS[0].matches)(path), "{path}");
        }
        assert!(!(FORMATS[0].matches)("Dockerfile.dockerignore"));
    }

    #[test]
    fn a_compose_file() {
        let text = "x-base: &base\n  image: redis:7\nservices:\n  cache:\n    <<: *base\n  db:\n    image: \"postgres:${PG:-15}\"\n  web:\n    build: .\n    image: shop\n";
        let path: Arc<str> = "docker-compose.override.yml".into();
        assert!((FORMATS[1].matches)(&path));
        let found = (FORMATS[1].read)(&path, text.as_bytes());
        let told: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(told, [("redis", "7"), ("postgres", "15")]);
    }
}
