//! From files to trees: every file parsed in its own language, with what the lock file says of it.

use rayon::prelude::*;
use wardroom_model::Problem;
use wardroom_ruby::ir::{Kind, Node, Span};
use wardroom_ruby::template::{Engine, Options, compile, erb};
use wardroom_ruby::{Parsed, parse, parse_template};
use wardroom_source::{LineIndex, Source};

use crate::files::{File, Format, Role, role};
use crate::gems::Gems;

/// Files with their trees, and what could not be understood in them.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The files, by path.
    pub files: Vec<File>,
    /// Syntax errors and the like; the rest of such a file was read.
    pub problems: Vec<Problem>,
}

/// Parses what a walk brought.
pub fn load(sources: Vec<Source>) -> Loaded {
    let mut gems = Gems::default();
    for source in &sources {
        if source.path.as_ref() == "Gemfile.lock" || source.path.as_ref() == "gems.locked" {
            gems.read_lock(&String::from_utf8_lossy(&source.text));
        }
    }
    // A schema says more, and faster, than the history that led to it.
    let has_schema = sources.iter().any(|s| matches!(s.path.as_ref(), "db/schema.rb" | "db/structure.sql"));
    let rails = gems
        .locked
        .get("rails")
        .or_else(|| gems.locked.get("actionpack"))
        .and_then(|v| crate::gems::Version::parse(v));
    let old = match rails {
        Some(version) => version.0 < 3,
        // No lock file: before Bundler there was `config/environment.rb` with a version in it.
        None => sources.iter().any(|s| {
            s.path.as_ref() == "config/environment.rb" && memchr(&s.text, b"Rails::Initializer.run")
        }),
    };
    let haml_major = gems.locked.get("haml").and_then(|v| crate::gems::Version::parse(v)).map_or(6, |v| v.0);
    let parsed: Vec<(File, Vec<Problem>)> = sources
        .into_par_iter()
        .flat_map_iter(|source| {
            let inline = inline_template(&source, haml_major);
            std::iter::once(one(source, has_schema, !old, haml_major)).chain(inline)
        })
        .collect();
    let mut loaded = Loaded::default();
    for (file, problems) in parsed {
        loaded.files.push(file);
        loaded.problems.extend(problems);
    }
    loaded
}

fn memchr(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|w| w == needle)
}

/// The template that a component holds in its own file: `erb_template <<~ERB`. It becomes a file of its
/// own with the same path and text; all around it is blanked, so that places stay true.
fn inline_template(source: &Source, haml_major: u32) -> Option<(File, Vec<Problem>)> {
    if !source.path.ends_with(".rb") {
        return None;
    }
    let text = std::str::from_utf8(&source.text).ok()?;
    let at = text.find("_template <<")?;
    let engine = match text[..at].rsplit(|c: char| !c.is_alphanumeric()).next()? {
        "erb" => Engine::Erb,
        "haml" => Engine::Haml,
        "slim" => Engine::Slim,
        _ => return None,
    };
    let opening = &text[at + "_template <<".len()..];
    let word: &str = opening.trim_start_matches(['~', '-', '\'', '"']);
    let word = &word[..word.find(|c: char| !c.is_alphanumeric() && c != '_')?];
    let start = at + text[at..].find('\n')? + 1;
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim() == word {
            break;
        }
        end += line.len();
    }
    let blank =
        |part: &str| -> String { part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect() };
    let alone = format!("{}{}{}", blank(&text[..start]), &text[start..end], blank(&text[end..]));
    let options = Options { html: true, escape: true, haml_major };
    let parsed = parse_template(&compile(engine, &alone, &options));
    let role = Role::Template { engine, format: Format::Html };
    Some((File::new(source.path.clone(), source.text.clone(), role, parsed), Vec::new()))
}

fn nothing() -> Parsed {
    Parsed { body: Node { span: Span::default(), kind: Kind::Nil }, comments: Vec::new(), errors: Vec::new() }
}

fn one(source: Source, has_schema: bool, escape: bool, haml_major: u32) -> (File, Vec<Problem>) {
    let role = role(&source.path).unwrap_or(Role::Ruby);
    let mut parsed = match role {
        Role::Ruby => parse(&source.text),
        Role::Migration if has_schema => nothing(),
        Role::Migration => parse(&source.text),
        Role::Template { engine: Engine::Ruby, .. } => parse(&source.text),
        Role::Template { engine, format } => {
            let text = String::from_utf8_lossy(&source.text);
            let options = Options { html: format == Format::Html, escape, haml_major };
            let compiled = match (engine, format) {
                (Engine::Erb, Format::Script) => erb::compile_script(&text, &options),
                _ => compile(engine, &text, &options),
            };
            parse_template(&compiled)
        }
        Role::Lockfile | Role::StructureSql | Role::RubyVersion => nothing(),
    };
    if matches!(role, Role::Template { .. }) {
        // A template is parsed as a program of its own, where these mean nothing.
        parsed.errors.retain(|e| {
            !e.message.starts_with("Invalid yield")
                && !e.message.starts_with("Invalid next")
                && !e.message.starts_with("Invalid return")
        });
    }
    let problems = if parsed.errors.is_empty() {
        Vec::new()
    } else {
        let lines = LineIndex::new(&source.text);
        // One error makes many: the first says where to look.
        let first = &parsed.errors[0];
        vec![Problem {
            file: source.path.clone(),
            line: Some(lines.line(first.offset)),
            message: format!("syntax error: {}; the rest of the file was read", first.message),
            unread: false,
        }]
    };
    (File::new(source.path, source.text, role, parsed), problems)
}
