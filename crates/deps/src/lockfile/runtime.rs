//! The files that fix the version of a language: `.ruby-version` and its like.

use std::sync::Arc;

use super::document::{Node, Value};
use super::reading::{Reading, span};
use super::{Format, Inventory, file_name};
use crate::{Ecosystem, Package};

pub const FORMATS: &[Format] = &[
    Format {
        name: ".tool-versions",
        ecosystem: Ecosystem::Runtime,
        locks: true,
        matches: |path| file_name(path) == ".tool-versions",
        read: read_tools,
    },
    Format {
        name: "rust-toolchain.toml",
        ecosystem: Ecosystem::Runtime,
        locks: true,
        matches: |path| matches!(file_name(path), "rust-toolchain" | "rust-toolchain.toml"),
        read: read_toolchain,
    },
    Format {
        name: "mise.toml",
        ecosystem: Ecosystem::Runtime,
        locks: true,
        matches: |path| matches!(file_name(path), "mise.toml" | ".mise.toml" | ".rtx.toml"),
        read: read_mise,
    },
    Format {
        name: "runtime.txt",
        ecosystem: Ecosystem::Runtime,
        locks: true,
        matches: |path| path == "runtime.txt",
        read: read_one,
    },
    Format {
        name: ".ruby-version",
        ecosystem: Ecosystem::Runtime,
        locks: true,
        matches: |path| {
            matches!(
                file_name(path),
                ".ruby-version"
                    | ".node-version"
                    | ".nvmrc"
                    | ".python-version"
                    | ".go-version"
                    | ".php-version"
                    | ".java-version"
            )
        },
        read: read_one,
    },
];

/// A language's name as all of this crate writes it.
pub fn canonical(name: &str) -> &str {
    match name {
        "node" | "nodejs" => "nodejs",
        "golang" | "go" => "go",
        "postgres" | "postgresql" => "postgresql",
        "openjdk" | "java" => "java",
        other => other,
    }
}

fn add(reading: &mut Reading<'_>, name: &str, version: &str, at: (u32, u32)) {
    let name = canonical(name);
    // `ruby-3.2.1`, `v20.1.0` and `python-3.11.4` say the same as the number alone.
    let plain = version.strip_prefix(name).map_or(version, |v| v.trim_start_matches('-'));
    let plain =
        plain.strip_prefix('v').filter(|v| v.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(plain);
    if plain.is_empty() {
        return;
    }
    let mut package = Package::new(Ecosystem::Runtime, name, plain, at);
    package.direct = true;
    reading.package(package);
    reading.runtime(name, plain);
}

fn read_one(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let name = match file_name(file) {
            ".nvmrc" | ".node-version" => "nodejs",
            "runtime.txt" => "python",
            other => other.trim_start_matches('.').trim_end_matches("-version"),
        };
        for (at, line) in reading.lines() {
            let code = line.split('#').next().unwrap_or(line);
            let words = code.trim();
            if words.is_empty() {
                continue;
            }
            if words.len() > 64 || words.contains(char::is_whitespace) {
                reading.problem(at, "A version must stand alone on its line.");
                break;
            }
            let start = at + code.find(words).unwrap_or(0);
            add(reading, name, words, span(start, start + words.len()));
            // pyenv takes several; the first is the one that runs.
            break;
        }
    })
}

fn read_tools(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut told = false;
        for (at, line) in reading.lines() {
            let code = line.split('#').next().unwrap_or(line);
            let mut words = code.split_whitespace();
            let Some(name) = words.next() else { continue };
            let Some(version) = words.next() else {
                if !told {
                    reading.problem(at, "A line must hold a tool and a version.");
                }
                told = true;
                continue;
            };
            if version.len() <= 64 && name.len() <= 64 {
                let start = at + code.rfind(version).unwrap_or(0);
                add(reading, name, version, span(start, start + version.len()));
            }
        }
    })
}

fn read_toolchain(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    // The older form is the channel alone.
    if memchr::memchr(b'=', bytes).is_none() {
        return Reading::of(file, bytes, |reading| {
            let words = reading.text.trim();
            if words.len() <= 64 && !words.contains(char::is_whitespace) {
                add(reading, "rust", words, span(0, words.len()));
            } else {
                reading.problem(0, "A channel must stand alone in this file.");
            }
        });
    }
    Reading::toml(file, bytes, |reading, root| {
        if let Some(channel) = root.at(&["toolchain", "channel"]) {
            add(reading, "rust", channel.text(), channel.span);
        }
    })
}

fn read_mise(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        for (name, node) in root.entries_of("tools") {
            let node = match &node.value {
                Value::List(items) => items.first().unwrap_or(node),
                _ => node,
            };
            let version: &Node<'_> = node.get("version").unwrap_or(node);
            let tool = name.text.rsplit(':').next().unwrap_or(&name.text);
            add(reading, tool, version.text(), version.span);
        }
    })
}

#[cfg(test)]
mod tests {
    fn read(path: &str, text: &str) -> Vec<(String, String)> {
        let found = (super::super::format_of(path).unwrap().read)(&path.into(), text.as_bytes());
        found.packages.into_iter().map(|p| (p.name, p.version)).collect()
    }

    #[test]
    fn versions_of_all_files() {
        let one = |name: &str, version: &str| vec![(name.to_owned(), version.to_owned())];
        assert_eq!(read(".ruby-version", "ruby-3.2.1\n"), one("ruby", "3.2.1"));
        assert_eq!(read("a/.nvmrc", "v20.1.0"), one("nodejs", "20.1.0"));
        assert_eq!(read(".nvmrc", "lts/iron"), one("nodejs", "lts/iron"));
        assert_eq!(read(".python-version", "3.11.4\n3.10.1\n"), one("python", "3.11.4"));
        assert_eq!(read("runtime.txt", "python-3.9.1"), one("python", "3.9.1"));
        assert_eq!(read("rust-toolchain", "1.80.0\n"), one("rust", "1.80.0"));
        assert_eq!(read("rust-toolchain.toml", "[toolchain]\nchannel = \"1.81\"\n"), one("rust", "1.81"));
        assert_eq!(
            read(".tool-versions", "ruby 3.2.2 # why\nnodejs 20.0.0 18.0.0\n"),
            [("ruby".to_owned(), "3.2.2".to_owned()), ("nodejs".to_owned(), "20.0.0".to_owned())]
        );
        assert_eq!(
            read(
                "mise.toml",
                "[tools]\nnode = \"22\"\npython = [\"3.12\", \"3.11\"]\ngo = {version = \"1.22\"}\n"
            ),
            [("nodejs", "22"), ("python", "3.12"), ("go", "1.22")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }
}
