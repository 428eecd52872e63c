//! Which files of a tree the model reads, and as what.

use std::sync::{Arc, OnceLock};

use wardroom_model::Location;
use wardroom_ruby::Parsed;
use wardroom_ruby::ir::Span;
use wardroom_ruby::template::Engine;
use wardroom_source::{LineIndex, Wanted};

/// A file's number within one scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// What a file is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ruby code.
    Ruby,
    /// A migration: read only where no schema says what the columns are.
    Migration,
    /// A template.
    Template {
        /// Its engine.
        engine: Engine,
        /// The format that the page has.
        format: Format,
    },
    /// `Gemfile.lock`, `gems.locked`
    Lockfile,
    /// `db/structure.sql`
    StructureSql,
    /// `.ruby-version`, `.tool-versions`
    RubyVersion,
}

/// The format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// HTML, and Turbo streams.
    Html,
    /// JavaScript.
    Script,
    /// Plain text, JSON, XML, CSV …: nothing is markup.
    Other,
}

/// One file, read and parsed.
#[derive(Debug)]
pub struct File {
    /// Relative to the root, `/` between folders.
    pub path: Arc<str>,
    /// What is in it.
    pub text: Arc<[u8]>,
    /// What it is.
    pub role: Role,
    /// Its tree; empty for what is not code.
    pub parsed: Parsed,
    lines: OnceLock<LineIndex>,
}

impl File {
    /// Puts a read file and its tree together.
    pub fn new(path: Arc<str>, text: Arc<[u8]>, role: Role, parsed: Parsed) -> Self {
        File { path, text, role, parsed, lines: OnceLock::new() }
    }

    /// Where its lines begin.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// The place of a span, with its snippet.
    pub fn location(&self, span: Span) -> Location {
        self.lines().location(&self.path, &self.text, span.start, span.end)
    }

    /// The source of a span.
    pub fn source(&self, span: Span) -> std::borrow::Cow<'_, str> {
        let text = self.text.get(span.start as usize..(span.end as usize).min(self.text.len()));
        String::from_utf8_lossy(text.unwrap_or_default())
    }

    /// Whether it is a template.
    pub fn is_template(&self) -> bool {
        matches!(self.role, Role::Template { .. })
    }
}

/// Folders that hold tests.
const TEST_FOLDERS: &[&str] = &["spec", "test", "tests", "features", "cypress", "e2e"];
/// Folders that hold other people's code, or none.
const FOREIGN_FOLDERS: &[&str] = &["vendor", "tmp", "log", "coverage", "public", "bower_components", "dist"];

/// What the walk should do with a path.
pub fn wanted(path: &str) -> Wanted {
    if role(path).is_none() {
        return Wanted::No;
    }
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    // `app/models/test/…` is code; `spec/…`, `engines/x/spec/…` and `lib/generators/x/templates` are not.
    let mut inside_app = false;
    for folder in folders.split('/') {
        inside_app |= matches!(folder, "app" | "lib");
        if !inside_app && (FOREIGN_FOLDERS.contains(&folder) || TEST_FOLDERS.contains(&folder)) {
            return Wanted::Skipped;
        }
    }
    if folders.contains("lib/generators/") || path.ends_with("_spec.rb") || path.ends_with("_test.rb") {
        return Wanted::Skipped;
    }
    Wanted::Yes
}

/// What a path is; `None` for what the model does not read.
pub fn role(path: &str) -> Option<Role> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "Gemfile.lock" | "gems.locked" => return Some(Role::Lockfile),
        "structure.sql" => return Some(Role::StructureSql),
        ".ruby-version" | ".tool-versions" => return Some(Role::RubyVersion),
        "Gemfile" | "gems.rb" | "Rakefile" | "Guardfile" | "Capfile" => return Some(Role::Ruby),
        _ => {}
    }
    if name.starts_with('.') {
        return None;
    }
    let (stem, extension) = name.rsplit_once('.')?;
    let engine = match extension {
        "erb" | "rhtml" => Engine::Erb,
        "haml" => Engine::Haml,
        "slim" => Engine::Slim,
        "jbuilder" | "builder" | "rxml" | "rjs" | "arb" | "prawn" | "axlsx" | "rabl" | "ruby" | "jb"
        | "props" => Engine::Ruby,
        "rb" if path.contains("app/views/") && stem.contains('.') => Engine::Ruby,
        "rb" if path.contains("db/migrate/") => return Some(Role::Migration),
        "rb" | "rake" | "ru" | "gemspec" | "thor" => return Some(Role::Ruby),
        _ => return None,
    };
    // Templates outside the view paths (generators, configuration, documentation) are no pages.
    let page = ["app/", "views/", "lib/", "templates/"]
        .iter()
        .any(|f| path.starts_with(f) || path.contains(&format!("/{f}")));
    if !page {
        return None;
    }
    let format = match (engine, stem.rsplit_once('.').map(|(_, f)| f)) {
        (Engine::Ruby, _) => Format::Other,
        (_, Some("js" | "coffee")) => Format::Script,
        (
            _,
            Some(
                "text" | "json" | "xml" | "csv" | "atom" | "rss" | "ics" | "txt" | "yml" | "yaml" | "md"
                | "sh" | "css" | "conf" | "rb" | "sql" | "graphql" | "ts" | "svg" | "vtt" | "plist" | "ipxe"
                | "kml" | "gpx" | "vcf" | "tex",
            ),
        ) => Format::Other,
        _ => Format::Html,
    };
    Some(Role::Template { engine, format })
}
