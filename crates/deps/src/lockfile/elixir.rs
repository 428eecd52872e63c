//! Mix: `mix.lock`, which is an Elixir term, and the list of dependencies that `mix.exs` writes out.

use std::sync::Arc;

use super::reading::{Reading, span};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub const FORMATS: &[Format] = &[
    Format {
        name: "mix.lock",
        ecosystem: Ecosystem::Hex,
        locks: true,
        matches: |path| file_name(path) == "mix.lock",
        read: read_lock,
    },
    Format {
        name: "mix.exs",
        ecosystem: Ecosystem::Hex,
        locks: false,
        matches: |path| file_name(path) == "mix.exs",
        read: read_manifest,
    },
];

/// Deepest nesting of a term.
const DEEPEST: usize = 32;
/// Most terms in one file: many times what the largest lockfiles hold.
const MOST_TERMS: usize = 500_000;

/// A part of Elixir's data.
#[derive(Debug)]
enum Term<'t> {
    /// `"text"`, `:atom`, a number or a name.
    Word(&'t str, usize),
    /// `{…}`, `[…]` or `%{…}`.
    List(Vec<Term<'t>>),
    /// `name: value` or `name => value`.
    Pair(&'t str, usize, Box<Term<'t>>),
}

impl<'t> Term<'t> {
    fn word(&self) -> &'t str {
        match self {
            Term::Word(word, _) => word,
            _ => "",
        }
    }

    fn items(&self) -> &[Term<'t>] {
        match self {
            Term::List(items) => items,
            _ => &[],
        }
    }

    fn get(&self, name: &str) -> Option<&Term<'t>> {
        self.items().iter().find_map(|item| match item {
            Term::Pair(key, _, value) if *key == name => Some(&**value),
            _ => None,
        })
    }
}

struct Terms<'t> {
    text: &'t str,
    at: usize,
    count: usize,
    broken: Option<(usize, &'static str)>,
}

impl<'t> Terms<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn term(&mut self, depth: usize) -> Option<Term<'t>> {
        self.blank();
        let start = self.at;
        let first = self.rest().chars().next()?;
        self.count += 1;
        if self.count > MOST_TERMS {
            self.broken.get_or_insert((start, "the file holds more than is read"));
            return None;
        }
        if depth >= DEEPEST {
            self.broken.get_or_insert((start, "this is nested too deeply"));
            return None;
        }
        let term = match first {
            '{' | '[' | '%' => {
                self.at += if first == '%' { self.rest().find('{')? + 1 } else { 1 };
                let mut items = Vec::new();
                loop {
                    self.blank();
                    match self.rest().chars().next() {
                        None => {
                            self.broken.get_or_insert((self.at, "the file ends in the middle"));
                            break;
                        }
                        Some('}' | ']') => {
                            self.at += 1;
                            break;
                        }
                        Some(',') => self.at += 1,
                        Some(_) => match self.term(depth + 1) {
                            Some(term) => items.push(term),
                            None => break,
                        },
                    }
                }
                return Some(Term::List(items));
            }
            '"' => {
                let Some(length) = closing_quote(&self.rest()[1..]) else {
                    self.broken.get_or_insert((start, "a text has no end"));
                    self.at = self.text.len();
                    return None;
                };
                self.at += length + 2;
                &self.text[start + 1..start + 1 + length]
            }
            _ => {
                let skip = usize::from(first == ':');
                let word = &self.rest()[skip..];
                let end = word
                    .find(|c: char| {
                        !(c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '?' | '!' | '-' | '~' | '/'))
                    })
                    .unwrap_or(word.len());
                if end == 0 {
                    // Code that is no data: it is passed over.
                    self.at += skip + word.chars().next().map_or(0, char::len_utf8);
                    return Some(Term::Word("", start));
                }
                self.at += skip + end;
                &word[..end]
            }
        };
        let pair = if self.rest().starts_with(':') && !self.rest().starts_with("::") {
            self.at += 1;
            true
        } else {
            let after = self.at;
            self.blank();
            if self.rest().starts_with("=>") {
                self.at += 2;
                true
            } else {
                self.at = after;
                false
            }
        };
        if !pair {
            return Some(Term::Word(term, start));
        }
        let value = self.term(depth + 1)?;
        Some(Term::Pair(term, start, Box::new(value)))
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn read_lock(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let mut terms = Terms { text: reading.text, at: 0, count: 0, broken: None };
        let root = terms.term(0);
        if let Some((at, message)) = terms.broken {
            reading.problem(at, format!("This cannot be read as an Elixir term: {message}."));
        }
        let items = root.as_ref().map_or(&[][..], Term::items);
        if items.is_empty() && !reading.text.trim().is_empty() && !reading.text.trim_start().starts_with("%{")
        {
            reading.problem(0, "A map must stand in this file.");
        }
        for item in items {
            let Term::Pair(key, at, value) = item else { continue };
            let parts = value.items();
            let word = |index: usize| parts.get(index).map_or("", Term::word);
            let at = span(*at, *at + key.len() + 2);
            let mut package = match word(0) {
                "hex" => Package::new(Ecosystem::Hex, word(1), word(2), at),
                "git" => {
                    let mut package = Package::new(Ecosystem::Hex, *key, "", at);
                    let asked = parts.get(3);
                    let reference =
                        ["ref", "tag", "branch"].iter().find_map(|k| asked?.get(k)).map_or("", Term::word);
                    package.origin = Origin::Git {
                        url: word(1).to_owned(),
                        revision: word(2).to_owned(),
                        reference: reference.to_owned(),
                    };
                    package
                }
                _ => continue,
            };
            if word(0) == "hex" {
                // The outer checksum is the one of what is fetched; the inner one is older.
                let (inner, repository, outer) = (word(3), word(6), word(7));
                package.checksum = match (outer, inner) {
                    ("", "") => String::new(),
                    ("", inner) => format!("sha256:{inner}"),
                    (outer, _) => format!("sha256:{outer}"),
                };
                if !repository.is_empty() && repository != "hexpm" {
                    package.origin = Origin::Registry(repository.to_owned());
                }
                for need in parts.get(5).map_or(&[][..], Term::items) {
                    let need = need.items();
                    let word = |index: usize| need.get(index).map_or("", Term::word);
                    let optional =
                        need.get(2).and_then(|o| o.get("optional")).is_some_and(|o| o.word() == "true");
                    if !optional && !word(0).is_empty() {
                        package.requires.push(Requirement::new(word(0), word(1)));
                    }
                }
            }
            reading.package(package);
        }
    })
}

fn read_manifest(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::of(file, bytes, |reading| {
        let text = reading.text;
        if let Some(at) = text.find("elixir:") {
            let words = text[at + "elixir:".len()..].trim_start();
            if let Some(range) = words.strip_prefix('"').and_then(|w| w.split('"').next()) {
                reading.runtime("elixir", range);
            }
        }
        let starts = ["defp deps do", "def deps do", "defp deps() do", "def deps() do", "defp deps, do:"];
        let Some(start) = starts.iter().find_map(|s| text.find(s).map(|at| at + s.len())) else { return };
        let Some(open) = text[start..].find('[').map(|i| start + i) else { return };
        let mut terms = Terms { text, at: open, count: 0, broken: None };
        let Some(list) = terms.term(0) else { return };
        if let Some((at, message)) = terms.broken {
            reading.problem(at, format!("The list of dependencies cannot be read: {message}."));
        }
        for item in list.items() {
            let parts = item.items();
            let Some(Term::Word(name, at)) = parts.first() else { continue };
            let range = match parts.get(1) {
                Some(Term::Word(range, _)) => range,
                _ => "",
            };
            // Options may stand in brackets or bare at the end of the tuple.
            let options: Vec<&Term<'_>> =
                parts.iter().filter(|p| matches!(p, Term::List(_))).chain([item]).collect();
            let option = |key: &str| options.iter().find_map(|o| o.get(key));
            let name = option("hex").map_or(*name, Term::word);
            let mut ask = Dependency::new(name, range, span(*at, *at + name.len() + 1));
            match option("only") {
                Some(Term::List(groups)) => ask.groups.extend(groups.iter().map(|g| g.word().to_owned())),
                Some(group) => ask.groups.push(group.word().to_owned()),
                None => {}
            }
            ask.groups.retain(|g| g != "prod");
            let repository = option("git").map(|g| g.word().to_owned());
            let repository = repository
                .or_else(|| option("github").map(|g| format!("https://github.com/{}.git", g.word())));
            if let Some(url) = repository {
                let reference = option("tag").or_else(|| option("branch")).map_or("", Term::word).to_owned();
                let revision = option("ref").map_or("", Term::word).to_owned();
                ask.origin = Origin::Git { url, revision, reference };
            } else if let Some(path) = option("path").or_else(|| option("in_umbrella")) {
                ask.origin = Origin::Path(path.word().to_owned());
            }
            reading.ask(ask);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lockfile() {
        let text = "%{\n  \"cowboy\": {:hex, :cowboy, \"2.9.0\", \"aaaa\", [:make, :rebar3], [{:cowlib, \"2.11.0\", [hex: :cowlib, repo: \"hexpm\", optional: false]}, {:x, \"~> 1.0\", [hex: :x, optional: true]}], \"hexpm\", \"bbbb\"},\n  \"own\": {:git, \"https://x.test/own.git\", \"0123456789\", [tag: \"v1\"]},\n}\n";
        let path: Arc<str> = "mix.lock".into();
        let found = read_lock(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let [cowboy, own] = &found.packages[..] else { panic!("{:?}", found.packages) };
        assert_eq!(
            (cowboy.name.as_str(), cowboy.version.as_str(), cowboy.checksum.as_str()),
            ("cowboy", "2.9.0", "sha256:bbbb")
        );
        assert_eq!(cowboy.requires, [Requirement::new("cowlib", "2.11.0")]);
        assert!(matches!(&own.origin, Origin::Git { reference, .. } if reference == "v1"));
        let (start, end) = cowboy.span;
        assert_eq!(&text[start as usize..end as usize], "\"cowboy\"");
        assert_eq!(read_lock(&path, "[{%{".repeat(9_000).as_bytes()).problems.len(), 1);
    }

    #[test]
    fn a_manifest() {
        let text = "defmodule A do\n  def project do\n    [elixir: \"~> 1.14\", deps: deps()]\n  end\n\n  defp deps do\n    [\n      {:phoenix, \"~> 1.7\"},\n      # {:old, \"1\"},\n      {:credo, \"~> 1.6\", only: [:dev, :test], runtime: false},\n      {:own, git: \"https://x.test/own.git\", branch: \"main\"},\n      {:hub, github: \"o/hub\", ref: \"abc\"}\n    ]\n  end\nend\n";
        let path: Arc<str> = "mix.exs".into();
        let found = read_manifest(&path, text.as_bytes());
        let told: Vec<_> = found
            .asks
            .iter()
            .map(|a| (a.requirement.name.as_str(), a.requirement.range.as_str(), a.groups.join(",")))
            .collect();
        assert_eq!(
            told,
            [
                ("phoenix", "~> 1.7", String::new()),
                ("credo", "~> 1.6", "dev,test".into()),
                ("own", "", String::new()),
                ("hub", "", String::new())
            ]
        );
        assert_eq!(found.runtimes, [("elixir".to_owned(), "~> 1.14".to_owned())]);
        assert!(matches!(&found.asks[2].origin, Origin::Git { reference, .. } if reference == "main"));
    }
}
