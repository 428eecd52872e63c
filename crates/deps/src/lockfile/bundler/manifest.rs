//! `Gemfile` and gemspecs, as far as they are literal: names, ranges, groups, sources, the Ruby version.
//!
//! No Ruby is run and no parser of Ruby is asked: what is computed is a [`Problem`] with its line.

mod tokens;

use std::sync::Arc;

use wardroom_model::Problem;
use wardroom_source::LineIndex;

use super::super::{Inventory, LONGEST, MOST};
use super::MOST_PROBLEMS;
use crate::{Dependency, Origin, Requirement};
use tokens::{Kind, Token};

/// Deepest nesting of blocks; what stands deeper is read as if it stood there.
const DEEPEST: usize = 64;

/// A gem that is asked for, with the places that a change of its range has to touch.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is asked for.
    pub dependency: Dependency,
    /// The texts of its ranges, without their quotes: bytes.
    pub ranges: Vec<(u32, u32)>,
    /// All of the ranges are written out.
    pub literal: bool,
}

/// Reads a Gemfile or a gemspec.
pub fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    read_places(file, bytes).0
}

/// As [`read`], with the places of the ranges.
pub fn read_places(file: &Arc<str>, bytes: &[u8]) -> (Inventory, Vec<Ask>) {
    let mut inventory = Inventory::default();
    if bytes.len() > LONGEST {
        let message =
            format!("The file has {} MiB; more than {} are not read.", bytes.len() >> 20, LONGEST >> 20);
        inventory.problems.push(Problem { file: file.clone(), line: None, message, unread: true });
        return (inventory, Vec::new());
    }
    let mended: Vec<u8>;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            mended = bytes.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
            std::str::from_utf8(&mended).unwrap_or_default()
        }
    };
    let tokens = tokens::read(text);
    let mut reader = Reader {
        file,
        text,
        lines: LineIndex::new(text.as_bytes()),
        inventory,
        asks: Vec::new(),
        blocks: Vec::new(),
        gemspec: file.ends_with(".gemspec"),
    };
    let mut rest = &tokens[..];
    while !rest.is_empty() {
        let end = statement_end(rest);
        reader.statement(&rest[..end]);
        rest = &rest[(end + 1).min(rest.len())..];
        if reader.asks.len() >= MOST {
            reader.problem(0, format!("The file asks for more than {MOST} gems; the rest is not read."));
            break;
        }
    }
    reader.inventory.asks = reader.asks.iter().map(|ask| ask.dependency.clone()).collect();
    (reader.inventory, reader.asks)
}

/// Where a statement ends: at a line's end or `;` that no bracket and no comma carries on.
fn statement_end(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::End if depth == 0 || token.text == ";" => {
                let carried = index > 0
                    && token.text != ";"
                    && (matches!(
                        tokens[index - 1].text,
                        "," | "\\" | "." | "&&" | "||" | "=>" | "=" | "|" | "+"
                    ) && tokens[index - 1].kind == Kind::Sign
                        || tokens[index - 1].kind == Kind::Label);
                if !carried {
                    return index;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// What a block adds to the gems in it; blocks of other kinds add nothing.
#[derive(Default)]
struct Block {
    groups: Vec<String>,
    origin: Option<Origin>,
}

struct Reader<'f, 't> {
    file: &'f Arc<str>,
    text: &'t str,
    lines: LineIndex,
    inventory: Inventory,
    asks: Vec<Ask>,
    blocks: Vec<Block>,
    gemspec: bool,
}

/// What a call was given, as far as it is literal.
#[derive(Default)]
struct Arguments<'t> {
    /// Positional texts and symbols, with their places.
    plain: Vec<(&'t str, (u32, u32))>,
    /// Named ones.
    named: Vec<(&'t str, Vec<&'t str>)>,
    /// A positional one is computed.
    computed: bool,
}

impl<'t> Arguments<'t> {
    fn named(&self, keys: &[&str]) -> Option<&'t str> {
        self.named.iter().find(|(key, _)| keys.contains(key)).and_then(|(_, values)| values.first().copied())
    }
}

impl<'t> Reader<'_, 't> {
    fn problem(&mut self, at: u32, message: String) {
        if self.inventory.problems.len() < MOST_PROBLEMS {
            let line = Some(self.lines.line(at));
            self.inventory.problems.push(Problem { file: self.file.clone(), line, message, unread: false });
        }
    }

    fn statement(&mut self, tokens: &[Token<'t>]) {
        // Line ends inside of brackets mean nothing.
        let tokens: Vec<Token<'t>> = tokens.iter().copied().filter(|t| t.kind != Kind::End).collect();
        let Some(first) = tokens.first() else { return };
        let words = |word: &str| tokens.iter().filter(|t| t.kind == Kind::Word && t.text == word).count();
        let ends = words("end");
        let mut opened = words("do");
        for (index, token) in tokens.iter().enumerate() {
            let starts = index == 0 || tokens[index - 1].text == "=";
            let opener = matches!(
                token.text,
                "if" | "unless" | "case" | "begin" | "while" | "until" | "def" | "class" | "module" | "for"
            );
            if token.kind == Kind::Word && starts && opener {
                opened += 1;
                // `while x do` opens one block, not two.
                if matches!(token.text, "while" | "until" | "for") {
                    opened -= words("do").min(1);
                }
            }
        }
        let block = if first.kind == Kind::Word { self.call(&tokens) } else { Block::default() };
        // A gem inside of a block or a condition on the same line.
        for (index, pair) in tokens.windows(2).enumerate() {
            let opens =
                matches!(pair[0].text, "{" | "|" | "do" | "then" | "else") && pair[0].kind != Kind::Text;
            if opens && pair[1].kind == Kind::Word && pair[1].text == "gem" && !self.gemspec {
                self.gem(pair[1].start, &tokens[index + 2..]);
            }
        }
        if opened > ends {
            let mut block = Some(block);
            for _ in 0..opened - ends {
                if self.blocks.len() < DEEPEST {
                    self.blocks.push(block.take().unwrap_or_default());
                }
            }
        } else {
            for _ in 0..ends - opened {
                self.blocks.pop();
            }
        }
    }

    /// A call by its name; gives what its block adds, should it have one.
    fn call(&mut self, tokens: &[Token<'t>]) -> Block {
        let mut block = Block::default();
        let (name, rest) = (tokens[0].text, &tokens[1..]);
        if self.gemspec {
            // `spec.add_dependency "x"`: the call stands behind the dot.
            if rest.len() > 2 && rest[0].text == "." {
                self.gemspec_call(tokens[0].start, rest[1].text, &rest[2..]);
            }
            return block;
        }
        match name {
            "gem" => self.gem(tokens[0].start, rest),
            "group" => {
                block.groups = arguments(rest).plain.iter().map(|(word, _)| (*word).to_owned()).collect()
            }
            "source" => {
                if let Some((url, place)) = arguments(rest).plain.first() {
                    self.inventory.sources.push(((*url).to_owned(), *place));
                    block.origin = Some(Origin::Registry((*url).to_owned()));
                }
            }
            "path" => {
                block.origin =
                    arguments(rest).plain.first().map(|(path, _)| Origin::Path((*path).to_owned()));
            }
            "git" | "github" | "gist" | "bitbucket" | "gitlab" => {
                let given = arguments(rest);
                if let Some((place, _)) = given.plain.first() {
                    block.origin = Some(git(repository(name, place), &given));
                }
            }
            "ruby" => {
                let given = arguments(rest);
                let range: Vec<&str> = given.plain.iter().map(|(word, _)| *word).collect();
                if range.is_empty() {
                    if given.computed {
                        self.problem(
                            tokens[0].start,
                            "The Ruby version is computed; it is not known.".to_owned(),
                        );
                    }
                } else {
                    self.inventory.runtimes.push(("ruby".to_owned(), range.join(", ")));
                }
            }
            "eval_gemfile" => match arguments(rest).plain.first() {
                Some((path, _)) => self.inventory.includes.push((*path).to_owned()),
                None => self.problem(
                    tokens[0].start,
                    "The path of this Gemfile is computed; it is not read.".to_owned(),
                ),
            },
            _ => {}
        }
        block
    }

    fn gem(&mut self, start: u32, rest: &[Token<'t>]) {
        // `gem = …` and `gem.x` are no calls.
        if rest.first().is_none_or(|t| matches!(t.text, "=" | "." | "+") && t.kind == Kind::Sign) {
            return;
        }
        let given = arguments(rest);
        let Some(((name, _), ranges)) =
            given.plain.split_first().filter(|_| rest.first().is_some_and(literal))
        else {
            self.problem(
                start,
                "The name of this gem is computed; what it asks for is not known.".to_owned(),
            );
            return;
        };
        let mut groups: Vec<String> = self.blocks.iter().flat_map(|b| b.groups.clone()).collect();
        for (key, values) in &given.named {
            if matches!(*key, "group" | "groups") {
                groups.extend(values.iter().map(|v| (*v).to_owned()));
            }
        }
        // Gems of the default group are always there.
        if groups.iter().any(|g| g == "default") {
            groups.clear();
        }
        groups.dedup();
        let origin = ["git", "github", "gist", "bitbucket", "gitlab"]
            .into_iter()
            .find_map(|key| Some(git(repository(key, given.named(&[key])?), &given)))
            .or_else(|| given.named(&["path"]).map(|path| Origin::Path(path.to_owned())))
            .or_else(|| given.named(&["source"]).map(|url| Origin::Registry(url.to_owned())))
            .or_else(|| self.blocks.iter().rev().find_map(|b| b.origin.clone()))
            .unwrap_or_else(|| Origin::Registry(String::new()));
        if given.computed {
            self.problem(start, format!("The range of `{name}` is computed; it is not known."));
        }
        let end = rest.last().map_or(start, |t| t.end);
        self.push(name, ranges, groups, origin, !given.computed, (start, end));
    }

    fn push(
        &mut self,
        name: &str,
        ranges: &[(&'t str, (u32, u32))],
        groups: Vec<String>,
        origin: Origin,
        literal: bool,
        span: (u32, u32),
    ) {
        let range = ranges.iter().map(|(text, _)| *text).collect::<Vec<_>>().join(", ");
        let requirement = Requirement { name: name.to_owned(), range };
        self.asks.push(Ask {
            dependency: Dependency { requirement, groups, origin, span },
            ranges: ranges.iter().map(|(_, place)| *place).collect(),
            literal,
        });
    }

    fn gemspec_call(&mut self, start: u32, method: &str, rest: &[Token<'t>]) {
        let groups = match method {
            "add_dependency" | "add_runtime_dependency" => Vec::new(),
            "add_development_dependency" => vec!["development".to_owned()],
            "required_ruby_version" => {
                let range: Vec<&str> =
                    arguments(rest.get(1..).unwrap_or_default()).plain.iter().map(|(w, _)| *w).collect();
                if !range.is_empty() {
                    self.inventory.runtimes.push(("ruby".to_owned(), range.join(", ")));
                }
                return;
            }
            _ => return,
        };
        let given = arguments(rest);
        let Some(((name, _), ranges)) = given.plain.split_first() else {
            self.problem(
                start,
                "The name of this gem is computed; what it asks for is not known.".to_owned(),
            );
            return;
        };
        let end = rest.last().map_or(start, |t| t.end).min(self.text.len() as u32);
        self.push(name, ranges, groups, Origin::Registry(String::new()), !given.computed, (start, end));
    }
}

fn literal(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Text | Kind::Symbol) || (token.kind == Kind::Open && token.text == "(")
}

/// Takes a call's literal arguments apart.
fn arguments<'t>(tokens: &[Token<'t>]) -> Arguments<'t> {
    let mut given = Arguments::default();
    let mut rest = tokens;
    if rest.first().is_some_and(|t| t.text == "(" && t.kind == Kind::Open) {
        rest = &rest[1..];
    }
    while let Some(token) = rest.first() {
        match token.kind {
            Kind::Word if matches!(token.text, "do" | "if" | "unless" | "and" | "or" | "rescue") => break,
            Kind::Label => {
                let (values, used) = value(&rest[1..]);
                given.named.push((token.text, values));
                rest = &rest[1 + used..];
            }
            Kind::Text | Kind::Symbol if rest.get(1).is_some_and(|t| t.text == "=>") => {
                let (values, used) = value(&rest[2..]);
                given.named.push((token.text, values));
                rest = &rest[2 + used..];
            }
            Kind::Text | Kind::Symbol => {
                given.plain.push((token.text, (token.start, token.end)));
                rest = &rest[1..];
            }
            // `"1.0".freeze` is as literal as the text.
            Kind::Sign if token.text == "." && rest.get(1).is_some_and(|t| t.text == "freeze") => {
                rest = &rest[2..]
            }
            Kind::Open | Kind::Close => rest = &rest[1..],
            Kind::Sign if token.text == "," => rest = &rest[1..],
            // What is computed ends at the next comma.
            _ => {
                given.computed = true;
                rest = &rest[value(rest).1.max(1)..];
            }
        }
    }
    given
}

/// The literal values of a named argument, and how many tokens they took.
fn value<'t>(tokens: &[Token<'t>]) -> (Vec<&'t str>, usize) {
    let mut values = Vec::new();
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => return (values, index),
            Kind::Close => depth -= 1,
            Kind::Text | Kind::Symbol => values.push(token.text),
            Kind::Sign if token.text == "," && depth == 0 => return (values, index),
            Kind::Word if depth == 0 && matches!(token.text, "do" | "if" | "unless") => {
                return (values, index);
            }
            _ => {}
        }
    }
    (values, tokens.len())
}

fn git(url: String, given: &Arguments<'_>) -> Origin {
    Origin::Git {
        url,
        revision: String::new(),
        reference: given.named(&["ref", "tag", "branch"]).unwrap_or_default().to_owned(),
    }
}

/// The address that Bundler makes of its short forms.
fn repository(key: &str, place: &str) -> String {
    match key {
        "github" if place.contains("://") => place.to_owned(),
        "github" if place.contains('/') => format!("https://github.com/{place}.git"),
        "github" => format!("https://github.com/{place}/{place}.git"),
        "gist" => format!("https://gist.github.com/{place}.git"),
        "gitlab" => format!("https://gitlab.com/{place}.git"),
        "bitbucket" => format!("https://bitbucket.org/{place}.git"),
        _ => place.to_owned(),
    }
}
