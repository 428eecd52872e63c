//! `Gemfile.lock`: every section that Bundler writes, and both sides of a merge that nobody finished.

mod manifest;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use wardroom_model::Problem;

use super::{Format, Inventory, LONGEST, MOST};
use crate::{Dependency, Ecosystem, Origin, Package, Requirement};

pub use manifest::{Ask, read as read_manifest, read_places};

/// All of Bundler's files.
pub(super) const FORMATS: &[Format] = &[LOCK, MANIFEST];

/// `Gemfile.lock` and `gems.locked`.
pub const LOCK: Format = Format {
    name: "Gemfile.lock",
    ecosystem: Ecosystem::RubyGems,
    locks: true,
    matches: |path| {
        let name = file_name(path);
        name == "gems.locked" || (name.starts_with("Gemfile") && name.ends_with(".lock"))
    },
    read,
};

/// `Gemfile`, `gems.rb` and `*.gemspec`.
pub const MANIFEST: Format = Format {
    name: "Gemfile",
    ecosystem: Ecosystem::RubyGems,
    locks: false,
    matches: |path| {
        let name = file_name(path);
        name == "Gemfile" || name == "gems.rb" || name.ends_with(".gemspec")
    },
    read: read_manifest,
};

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Most sections, remotes and platforms that one file may have.
const MOST_SECTIONS: usize = 20_000;
/// Most things that one file may do wrong before the rest is summed up.
const MOST_PROBLEMS: usize = 50;

/// What a section's lines mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// GEM, GIT, PATH, PLUGIN SOURCE: options, then `specs:` with gems.
    Source(Kind),
    Platforms,
    Dependencies,
    Checksums,
    Ruby,
    BundledWith,
    /// Nothing has begun, or a section that this reader does not know.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gem,
    Git,
    Path,
    Plugin,
}

/// One source's options.
#[derive(Default)]
struct Options<'t> {
    remote: Option<&'t str>,
    revision: &'t str,
    reference: &'t str,
}

struct Reader<'f, 't> {
    file: &'f Arc<str>,
    inventory: Inventory,
    section: Section,
    options: Options<'t>,
    origin: Origin,
    in_specs: bool,
    /// The last `Package` takes what stands below it.
    open: bool,
    pinned: HashSet<&'t str>,
    checksums: HashMap<(&'t str, &'t str), &'t str>,
    sections: usize,
    unsaid: usize,
}

/// Reads a lockfile.
pub fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    let mut reader = Reader {
        file,
        inventory: Inventory::default(),
        section: Section::Other,
        options: Options::default(),
        origin: Origin::Registry(String::new()),
        in_specs: false,
        open: false,
        pinned: HashSet::new(),
        checksums: HashMap::new(),
        sections: 0,
        unsaid: 0,
    };
    if bytes.len() > LONGEST {
        let message =
            format!("The lockfile has {} MiB; more than {} are not read.", bytes.len() >> 20, LONGEST >> 20);
        reader.inventory.problems.push(Problem { file: file.clone(), line: None, message, unread: true });
        return reader.inventory;
    }
    // Broken bytes become marks of as many bytes, so that places stay right.
    let mut mended = Vec::new();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u32 + 1;
            reader.problem(line, "The line is not UTF-8; what is not is read as question marks.".to_owned());
            mended.extend(bytes.iter().map(|b| if b.is_ascii() { *b } else { b'?' }));
            std::str::from_utf8(&mended).unwrap_or_default()
        }
    };
    let mut at = 0;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.trim_end_matches(['\n', '\r']);
        if !reader.line(index as u32 + 1, line, at) {
            break;
        }
        at += whole.len() as u32;
    }
    reader.finish()
}

impl<'t> Reader<'_, 't> {
    fn problem(&mut self, line: u32, message: String) {
        if self.inventory.problems.len() >= MOST_PROBLEMS {
            self.unsaid += 1;
            return;
        }
        self.inventory.problems.push(Problem {
            file: self.file.clone(),
            line: Some(line),
            message,
            unread: false,
        });
    }

    /// Takes one line; `false` once the file names too much.
    fn line(&mut self, number: u32, line: &'t str, at: u32) -> bool {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let text = line[indent..].trim_end();
        if text.is_empty() {
            return true;
        }
        if indent == 0 {
            return self.heading(number, text);
        }
        let at = at + indent as u32;
        match self.section {
            Section::Source(kind) => return self.source_line(kind, number, indent, text, at),
            Section::Dependencies => self.ask(number, text, at),
            Section::Checksums => self.checksum(text),
            Section::Ruby => self.runtime(text),
            Section::BundledWith => self.inventory.runtimes.push(("bundler".to_owned(), text.to_owned())),
            Section::Platforms | Section::Other => {}
        }
        if self.inventory.asks.len() > MOST || self.inventory.runtimes.len() > MOST_SECTIONS {
            self.too_much(number);
            return false;
        }
        true
    }

    fn too_much(&mut self, number: u32) {
        self.inventory.problems.push(Problem {
            file: self.file.clone(),
            line: Some(number),
            message: format!("The lockfile names more than {MOST} gems; the rest is not read."),
            unread: false,
        });
    }

    fn heading(&mut self, number: u32, text: &'t str) -> bool {
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| text.starts_with(mark)) {
            // Both sides count: leaving one out could hide a gem.
            if text.starts_with('<') {
                self.problem(
                    number,
                    "A merge left its marks here; both sides are read. Run `bundle lock` to settle it."
                        .to_owned(),
                );
            }
            return true;
        }
        self.section = match text {
            "GEM" => Section::Source(Kind::Gem),
            "GIT" => Section::Source(Kind::Git),
            "PATH" => Section::Source(Kind::Path),
            "PLUGIN SOURCE" => Section::Source(Kind::Plugin),
            "PLATFORMS" => Section::Platforms,
            "DEPENDENCIES" => Section::Dependencies,
            "CHECKSUMS" => Section::Checksums,
            "RUBY VERSION" => Section::Ruby,
            "BUNDLED WITH" => Section::BundledWith,
            _ => {
                let heading = text.len() <= 60 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
                if !heading {
                    self.problem(number, format!("`{}` is no line of a Gemfile.lock.", shortened(text)));
                }
                Section::Other
            }
        };
        self.options = Options::default();
        self.origin = Origin::Registry(String::new());
        self.in_specs = false;
        self.open = false;
        self.sections += 1;
        if self.sections > MOST_SECTIONS {
            self.too_much(number);
            return false;
        }
        true
    }

    fn source_line(&mut self, kind: Kind, number: u32, indent: usize, text: &'t str, at: u32) -> bool {
        if indent == 2 {
            self.option(kind, number, text, at);
            return true;
        }
        if !self.in_specs {
            self.problem(number, format!("`{}` stands before `specs:`.", shortened(text)));
            return true;
        }
        let Some(entry) = Entry::parse(text) else {
            self.problem(number, format!("`{}` is neither a gem nor what one asks for.", shortened(text)));
            return true;
        };
        let Entry { name, inside, .. } = entry;
        if indent == 4 {
            if inside.is_empty() {
                self.open = false;
                self.problem(number, format!("`{}` has no version.", shortened(text)));
                return true;
            }
            if self.inventory.packages.len() >= MOST {
                self.too_much(number);
                return false;
            }
            let (version, platform) = inside.split_once('-').unwrap_or((inside, ""));
            self.open = true;
            self.inventory.packages.push(Package {
                ecosystem: Ecosystem::RubyGems,
                name: name.to_owned(),
                version: version.to_owned(),
                platform: platform.to_owned(),
                origin: self.origin.clone(),
                checksum: String::new(),
                direct: false,
                groups: Vec::new(),
                install_script: false,
                requires: Vec::new(),
                span: (at, at + text.len() as u32),
            });
        } else if indent == 6 && self.open {
            if let Some(package) = self.inventory.packages.last_mut()
                && package.requires.len() < MOST
            {
                package.requires.push(Requirement { name: name.to_owned(), range: inside.to_owned() });
            }
        } else if indent != 6 {
            self.problem(
                number,
                format!(
                    "`{}` is indented by {indent}: neither a gem (4) nor what one asks for (6).",
                    shortened(text)
                ),
            );
        }
        true
    }

    fn option(&mut self, kind: Kind, number: u32, text: &'t str, at: u32) {
        let Some((key, value)) = text.split_once(':') else {
            self.problem(number, format!("`{}` is no option of a source.", shortened(text)));
            return;
        };
        let value = value.trim();
        match key {
            // The first of several is the one that the Gemfile names first.
            "remote" => {
                if kind == Kind::Gem {
                    let end = at + text.len() as u32;
                    self.inventory.sources.push((value.to_owned(), (end - value.len() as u32, end)));
                }
                self.options.remote.get_or_insert(value);
            }
            "revision" => self.options.revision = value,
            "branch" | "tag" | "ref" => self.options.reference = value,
            "specs" => {
                self.in_specs = true;
                let remote = self.options.remote.unwrap_or_default().to_owned();
                self.origin = match kind {
                    Kind::Gem => Origin::Registry(remote),
                    Kind::Git => Origin::Git {
                        url: remote,
                        revision: self.options.revision.to_owned(),
                        reference: self.options.reference.to_owned(),
                    },
                    Kind::Path => Origin::Path(remote),
                    Kind::Plugin => Origin::Url(remote),
                };
            }
            _ => {}
        }
    }

    fn ask(&mut self, number: u32, text: &'t str, at: u32) {
        let Some(entry) = Entry::parse(text) else {
            self.problem(number, format!("`{}` is nothing that a Gemfile asks for.", shortened(text)));
            return;
        };
        if entry.pinned {
            self.pinned.insert(entry.name);
        }
        self.inventory.asks.push(Dependency {
            requirement: Requirement { name: entry.name.to_owned(), range: entry.inside.to_owned() },
            groups: Vec::new(),
            origin: Origin::Registry(String::new()),
            span: (at, at + text.len() as u32),
        });
    }

    /// `rack (2.2.3) sha256=…`, several after commas.
    fn checksum(&mut self, text: &'t str) {
        let Some((front, sums)) = text.split_once(") ") else { return };
        if let Some((name, version)) = front.split_once(" (")
            && self.checksums.len() < MOST
        {
            self.checksums.insert((name, version), sums.split(',').next().unwrap_or_default());
        }
    }

    /// `ruby 2.3.1p112`, `ruby 2.5.3p105 (jruby 9.2.6.0)`.
    fn runtime(&mut self, text: &str) {
        let mut words = text.split([' ', '(', ')']).filter(|word| !word.is_empty());
        while let (Some(name), Some(version)) = (words.next(), words.next()) {
            self.inventory.runtimes.push((name.to_owned(), version.to_owned()));
        }
    }

    fn finish(mut self) -> Inventory {
        let asked: HashSet<&str> =
            self.inventory.asks.iter().map(|ask| ask.requirement.name.as_str()).collect();
        for package in &mut self.inventory.packages {
            package.direct = asked.contains(package.name.as_str());
            let version = match package.platform.as_str() {
                "" => package.version.clone(),
                platform => format!("{}-{platform}", package.version),
            };
            if let Some(sum) = self.checksums.get(&(package.name.as_str(), version.as_str())) {
                package.checksum = sum.replacen('=', ":", 1);
            }
        }
        if !self.pinned.is_empty() {
            let origins: HashMap<&str, &Origin> =
                self.inventory.packages.iter().map(|p| (p.name.as_str(), &p.origin)).collect();
            for ask in &mut self.inventory.asks {
                if self.pinned.contains(ask.requirement.name.as_str())
                    && let Some(origin) = origins.get(ask.requirement.name.as_str())
                {
                    ask.origin = (*origin).clone();
                }
            }
        }
        if self.unsaid > 0 {
            let message = format!("{} more lines could not be understood.", self.unsaid);
            self.inventory.problems.push(Problem {
                file: self.file.clone(),
                line: None,
                message,
                unread: false,
            });
        }
        self.inventory
    }
}

/// `name (what stands inside)!`.
struct Entry<'t> {
    name: &'t str,
    inside: &'t str,
    pinned: bool,
}

impl<'t> Entry<'t> {
    fn parse(text: &'t str) -> Option<Entry<'t>> {
        let (text, pinned) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
        let (name, inside) = match text.split_once(" (") {
            Some((name, rest)) => (name, rest.strip_suffix(')')?),
            None => (text, ""),
        };
        let fine = !name.is_empty() && !name.contains([' ', '(', ')', ':']);
        fine.then_some(Entry { name, inside, pinned })
    }
}

/// A line for a message: its first characters.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
