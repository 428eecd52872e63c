//! Which gems an application runs on and in which versions: `Gemfile.lock`, `Gemfile`, gemspecs,
//! and what stood in their place before Bundler (`RAILS_GEM_VERSION`, `config.gem`).
//!
//! Nothing here fails: an unknown line is passed over, and where no version is written down the
//! questions about versions answer with what is certain (`false` or `None`), never with a guess
//! that is not marked as one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use serde::Serialize;
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use crate::config::value::{self, SettingValue};

/// One Ruby file as the readers of this crate take it: its index, its path relative to the scanned
/// root with `/` between folders, and its tree.
pub type RubyFile<'a> = (u32, &'a str, &'a Node);

/// Major, minor and patch of a version. A fourth number or a pre-release word is left out; compare
/// the written versions with [`compare`] where it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `7.1.3`, `7.1`, `8`, `7.1.0.rc1`, `ruby-3.4.9p82`; `None` where no number stands.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let mut numbers = text[start..].split('.').map(|part| {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..digits].parse::<u32>().ok()
        });
        let major = numbers.next().flatten()?;
        let minor = numbers.next().flatten();
        let patch = if minor.is_some() { numbers.next().flatten() } else { None };
        Some(Version(major, minor.unwrap_or(0), patch.unwrap_or(0)))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Compares two versions as RubyGems does: numbers by value, a word (`rc1`, `pre`) before any
/// number, missing parts as zero.
pub fn compare(a: &str, b: &str) -> Ordering {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
    enum Part {
        Word(String),
        Number(u64),
    }
    fn parts(text: &str) -> Vec<Part> {
        let text = text.trim().replace('-', ".pre.");
        let mut out = Vec::new();
        for segment in text.split('.') {
            let mut rest = segment;
            while let Some(first) = rest.chars().next() {
                let digit = first.is_ascii_digit();
                let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
                let (head, tail) = rest.split_at(end);
                out.push(if digit {
                    Part::Number(head.parse().unwrap_or(u64::MAX))
                } else {
                    Part::Word(head.to_owned())
                });
                rest = tail;
            }
        }
        out
    }
    let (a, b) = (parts(a), parts(b));
    for i in 0..a.len().max(b.len()) {
        let zero = Part::Number(0);
        let order = a.get(i).unwrap_or(&zero).cmp(b.get(i).unwrap_or(&zero));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// A gem that the Gemfile (or a gemspec, or `config.gem`) asks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Declared {
    /// `["~> 7.1.5", ">= 7.1.5.2"]`
    pub requirements: Vec<String>,
    /// The groups; empty for the default group.
    pub groups: Vec<String>,
    /// Where it comes from, if not from the registry.
    pub source: Option<GemSource>,
    /// Whether the line stands under a condition that the reader cannot decide.
    pub conditional: bool,
    /// The file that declares it.
    pub file: u32,
    /// The declaration.
    pub span: Span,
}

impl Declared {
    /// Whether the gem is only for developers or tests.
    pub fn development_only(&self) -> bool {
        // `Bundler.require(*Rails.groups)` loads the default group and that of the environment.
        const LOADED: &[&str] =
            &["default", "production", "staging", "assets", "web", "app", "server", "worker"];
        !self.groups.is_empty() && !self.groups.iter().any(|g| LOADED.contains(&g.as_str()))
    }
}

/// Where a gem comes from when it is not the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GemSource {
    /// A git repository: the remote and the revision, branch or tag, where one is named.
    Git(String, Option<String>),
    /// A folder.
    Path(String),
}

/// How the version of Rails is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum RailsEvidence {
    /// The lock file names it.
    Locked,
    /// `RAILS_GEM_VERSION`.
    Environment,
    /// The lowest version that the Gemfile's requirement takes.
    Requirement,
    /// `config.load_defaults`: the application runs on this version or a later one.
    LoadDefaults,
    /// The way the routes or the settings are written: right in the major version.
    Idiom,
}

/// The gems of one application.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Gems {
    /// Gem → version, from the lock file. A version with a platform loses the platform.
    pub locked: BTreeMap<String, String>,
    /// Gem → the gems it needs, from the lock file.
    pub needs: BTreeMap<String, Vec<String>>,
    /// What the lock file lists under `DEPENDENCIES`.
    pub direct: BTreeSet<String>,
    /// Gems that the lock file takes from git or from a folder.
    pub sources: BTreeMap<String, GemSource>,
    /// The registries that the lock file names.
    pub remotes: Vec<String>,
    /// `PLATFORMS`
    pub platforms: Vec<String>,
    /// `BUNDLED WITH`
    pub bundler: Option<String>,
    /// Gem → its declaration. A gem declared twice keeps the widest one.
    pub declared: BTreeMap<String, Declared>,
    /// Ruby's version as written: `3.4.9`, `ree-1.8.7`; from the lock file, `.ruby-version`,
    /// `.tool-versions` or the Gemfile, in this order. From the Gemfile it can be a requirement
    /// (`>= 3.3.1`).
    pub ruby: Option<String>,
    /// `config.load_defaults`.
    pub load_defaults: Option<Version>,
    gemfile_ruby: Option<String>,
    environment: Option<String>,
    idiom: Option<Version>,
    development_reach: BTreeSet<String>,
    required: Required,
}

/// Which groups `Bundler.require` loads in production.
#[derive(Clone, Debug, Default, Serialize)]
struct Required {
    /// The groups that it names.
    groups: BTreeSet<String>,
    /// It stands in the code, and the code says all of them.
    known: bool,
    /// Some are made at run time.
    open: bool,
}

/// Gems of the Rails repository: they carry Rails' version.
const RAILS_GEMS: &[&str] = &[
    "rails",
    "railties",
    "actionpack",
    "actionview",
    "activerecord",
    "activesupport",
    "activemodel",
    "actionmailer",
    "activejob",
    "actioncable",
    "activestorage",
    "actiontext",
    "actionmailbox",
    "activeresource",
];

impl Gems {
    /// Reads all that is given, each file by its name: the Ruby ones (`Gemfile`, `gems.rb`,
    /// `bundler.d/*.rb`, `*.gemspec`, `config/*.rb`) as trees, the others (`Gemfile.lock`,
    /// `gems.locked`, `.ruby-version`, `.tool-versions`) as text. Files of other names are passed
    /// over, so a caller may hand in everything it has. Only the files of the application's own
    /// root count: paths are relative to it.
    pub fn read(ruby: &[RubyFile<'_>], texts: &[(&str, &str)]) -> Gems {
        let mut gems = Gems::default();
        let text = |names: &[&str]| {
            names.iter().find_map(|name| texts.iter().find(|(path, _)| path == name).map(|(_, text)| *text))
        };
        if let Some(lock) = text(&["Gemfile.lock", "gems.locked"]) {
            gems.read_lock(lock);
        }
        if gems.ruby.is_none() {
            gems.ruby = text(&[".ruby-version"]).and_then(ruby_version_file);
        }
        if gems.ruby.is_none() {
            gems.ruby = text(&[".tool-versions"]).and_then(tool_versions_file);
        }
        for &(file, path, root) in ruby {
            if path == "Gemfile"
                || path == "gems.rb"
                || (path.starts_with("bundler.d/") && path.ends_with(".rb"))
            {
                gems.read_gemfile(file, root);
            } else if path.ends_with(".gemspec") && !path.contains('/') {
                gems.read_gemspec(file, root);
            } else if path.starts_with("config/") && path.matches('/').count() <= 2 {
                gems.read_environment(file, root);
            }
        }
        if gems.ruby.is_none() {
            gems.ruby = gems.gemfile_ruby.clone();
        }
        gems.find_development_reach();
        gems
    }

    /// Reads a lock file's text.
    pub fn read_lock(&mut self, text: &str) {
        let mut section = "";
        let mut current: Option<String> = None;
        let (mut remote, mut revision) = (String::new(), None::<String>);
        // A lock file names a gem once for each platform, with the same needs.
        let mut known: FxHashSet<(String, &str)> = FxHashSet::default();
        for line in text.lines() {
            let line = line.trim_end();
            let body = line.trim_start();
            let indent = line.len() - body.len();
            // A file with an unsettled merge keeps both sides; the markers themselves say nothing.
            if body.is_empty()
                || body.starts_with("<<<<<<<")
                || body.starts_with(">>>>>>>")
                || body == "======="
            {
                continue;
            }
            if indent == 0 {
                section = body;
                current = None;
                remote.clear();
                revision = None;
                continue;
            }
            match section {
                "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE" => {
                    if indent == 2 {
                        if let Some(value) = body.strip_prefix("remote:") {
                            remote = value.trim().to_owned();
                            if section == "GEM" {
                                self.remotes.push(remote.clone());
                            }
                        } else if let Some(value) = body.strip_prefix("revision:") {
                            revision = Some(value.trim().to_owned());
                        }
                    } else if indent == 4 {
                        let (name, version) = split_spec(body);
                        if let Some(version) = version {
                            let plain = version.split('-').next().unwrap_or(version);
                            self.locked.entry(name.to_owned()).or_insert_with(|| plain.to_owned());
                        }
                        match section {
                            "GIT" => {
                                let source = GemSource::Git(remote.clone(), revision.clone());
                                self.sources.insert(name.to_owned(), source);
                            }
                            "PATH" => {
                                self.sources.insert(name.to_owned(), GemSource::Path(remote.clone()));
                            }
                            _ => {}
                        }
                        current = Some(name.to_owned());
                    } else if let Some(current) = &current {
                        let (name, _) = split_spec(body);
                        if known.insert((current.clone(), name)) {
                            self.needs.entry(current.clone()).or_default().push(name.to_owned());
                        }
                    }
                }
                "DEPENDENCIES" => {
                    self.direct.insert(split_spec(body).0.trim_end_matches('!').to_owned());
                }
                "PLATFORMS" => self.platforms.push(body.to_owned()),
                "RUBY VERSION" => self.ruby = ruby_version_file(body),
                "BUNDLED WITH" => self.bundler = Some(body.to_owned()),
                _ => {}
            }
        }
    }

    /// Reads a Gemfile's tree.
    pub fn read_gemfile(&mut self, file: u32, root: &Node) {
        self.gemfile_node(file, root, &Place::default(), 0);
    }

    fn gemfile_node(&mut self, file: u32, node: &Node, place: &Place, depth: u32) {
        if depth > 24 {
            return;
        }
        match &node.kind {
            Kind::Seq(nodes) => nodes.iter().for_each(|n| self.gemfile_node(file, n, place, depth + 1)),
            Kind::If(branch) => {
                let place = Place { conditional: true, ..place.clone() };
                self.gemfile_node(file, &branch.then, &place, depth + 1);
                self.gemfile_node(file, &branch.otherwise, &place, depth + 1);
            }
            Kind::Case(case) => {
                let place = Place { conditional: true, ..place.clone() };
                for arm in &case.arms {
                    self.gemfile_node(file, &arm.body, &place, depth + 1);
                }
                if let Some(otherwise) = &case.otherwise {
                    self.gemfile_node(file, otherwise, &place, depth + 1);
                }
            }
            Kind::Begin(begin) => self.gemfile_node(file, &begin.body, place, depth + 1),
            Kind::Call(call) => self.gemfile_call(file, node.span, call, place, depth),
            _ => {}
        }
    }

    fn gemfile_call(&mut self, file: u32, span: Span, call: &Call, place: &Place, depth: u32) {
        let options = call.args.last().filter(|n| matches!(n.kind, Kind::Hash(_)));
        match (call.recv.is_none(), call.name.as_str()) {
            (true, "gem") => {
                let Some(name) = call.args.first().and_then(value::text) else { return };
                self.declare(file, span, name, call, place);
            }
            (true, "ruby") => {
                if let Some(text) = call.args.first().and_then(value::text) {
                    self.gemfile_ruby.get_or_insert_with(|| text.to_owned());
                }
            }
            _ => {
                let Some(block) = &call.block else { return };
                let mut place = place.clone();
                match call.name.as_str() {
                    "group" | "groups" => place.groups.extend(call.args.iter().flat_map(names)),
                    "path" => {
                        place.source =
                            call.args.first().and_then(value::text).map(|p| GemSource::Path(p.into()));
                    }
                    "git" => {
                        place.source = call.args.first().and_then(value::text).map(|remote| {
                            let revision = options.and_then(revision_of);
                            GemSource::Git(remote.into(), revision)
                        });
                    }
                    "install_if" => place.conditional = true,
                    "each" => place.conditional = true,
                    _ => {}
                }
                self.gemfile_node(file, &block.body, &place, depth + 1);
            }
        }
    }

    fn declare(&mut self, file: u32, span: Span, name: &str, call: &Call, place: &Place) {
        let mut requirements = Vec::new();
        for argument in &call.args[1..] {
            match &argument.kind {
                Kind::Str(text) => requirements.push(text.to_string()),
                Kind::Array(items) => {
                    requirements.extend(items.iter().filter_map(value::text).map(str::to_owned));
                }
                _ => {}
            }
        }
        let options = call.args.last().filter(|n| matches!(n.kind, Kind::Hash(_)));
        let option = |key: &str| options.and_then(|o| value::option(o, key));
        let mut groups = place.groups.clone();
        for key in ["group", "groups"] {
            groups.extend(option(key).into_iter().flat_map(names));
        }
        groups.retain(|g| g != "default");
        // `config.gem 'x', :version => '…'`
        requirements.extend(option("version").and_then(value::text).map(str::to_owned));
        let mut source = place.source.clone();
        let github = |text: &str| {
            let path = if text.contains('/') { text.to_owned() } else { format!("{text}/{text}") };
            format!("https://github.com/{path}.git")
        };
        let git = option("git")
            .and_then(value::text)
            .map(str::to_owned)
            .or_else(|| option("github").and_then(value::text).map(github));
        if let (Some(remote), Some(options)) = (git, options) {
            source = Some(GemSource::Git(remote, revision_of(options)));
        } else if let Some(path) = option("path").and_then(value::text) {
            source = Some(GemSource::Path(path.to_owned()));
        }
        let conditional = place.conditional || option("install_if").is_some();
        let new = Declared { requirements, groups, source, conditional, file, span };
        match self.declared.get_mut(name) {
            Some(old) if old.development_only() && !new.development_only() => *old = new,
            Some(old) if old.requirements.is_empty() => old.requirements = new.requirements,
            Some(_) => {}
            None => {
                self.declared.insert(name.to_owned(), new);
            }
        }
    }

    /// Reads a gemspec's tree: an engine or a plugin names its Rails there.
    pub fn read_gemspec(&mut self, file: u32, root: &Node) {
        value::each_call(root, &mut |span, call| {
            let groups: &[&str] = match call.name.as_str() {
                "add_dependency" | "add_runtime_dependency" => &[],
                "add_development_dependency" => &["development"],
                _ => return,
            };
            let Some(name) = call.args.first().and_then(value::text) else { return };
            let groups = groups.iter().map(|g| (*g).to_owned()).collect();
            self.declare(file, span, name, call, &Place { groups, ..Place::default() });
        });
    }

    /// Reads what a file under `config/` tells of versions: `RAILS_GEM_VERSION`, `config.gem`,
    /// `config.load_defaults`, and the idioms of routes and settings that date it.
    pub fn read_environment(&mut self, file: u32, root: &Node) {
        value::each(root, &mut |node| match &node.kind {
            Kind::Assign(assign) => {
                if let (Kind::Const(path), Some(text)) = (&assign.target.kind, value::text(&assign.value))
                    && path.last().is_some_and(|n| n == "RAILS_GEM_VERSION")
                {
                    self.environment.get_or_insert_with(|| text.to_owned());
                }
            }
            Kind::Module(module) => {
                let parent = module.superclass.as_ref().and_then(value::const_path);
                self.hint_if(parent.as_deref() == Some("Rails::Application"), Version(3, 0, 0));
            }
            Kind::Call(call) => {
                let on_config = call.recv.as_ref().is_some_and(|r| value::is_name(r, "config"));
                match call.name.as_str() {
                    "gem" if on_config => {
                        if let Some(name) = call.args.first().and_then(value::text) {
                            self.declare(file, node.span, name, call, &Place::default());
                        }
                    }
                    "require"
                        if call.recv.as_ref().and_then(value::const_path).is_some_and(|p| p == "Bundler") =>
                    {
                        self.read_required(call);
                    }
                    "load_defaults" if on_config => {
                        if let Some(version) = call.args.first().and_then(load_defaults_version) {
                            self.load_defaults.get_or_insert(version);
                        }
                    }
                    "draw" | "run" => match call.recv.as_ref().and_then(value::const_path).as_deref() {
                        Some("ActionController::Routing::Routes") => self.hint(Version(2, 0, 0)),
                        Some("Rails::Initializer") => self.hint(Version(2, 0, 0)),
                        _ => {}
                    },
                    "config" | "routes" | "configure" => {
                        if call
                            .recv
                            .as_ref()
                            .and_then(value::const_path)
                            .is_some_and(|p| p.ends_with("::Application"))
                        {
                            self.hint(Version(3, 0, 0));
                        } else if call.recv.as_ref().is_some_and(is_rails_application) {
                            self.hint(Version(3, 0, 0));
                            if call.name == "configure" {
                                self.hint(Version(4, 1, 0));
                            }
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        });
    }

    fn hint_if(&mut self, seen: bool, version: Version) {
        if seen {
            self.hint(version);
        }
    }

    fn hint(&mut self, version: Version) {
        self.idiom = self.idiom.max(Some(version));
    }

    /// Gems that only development and test gems pull in.
    fn find_development_reach(&mut self) {
        let walk = |from: Vec<&String>| {
            let mut seen: BTreeSet<String> = from.iter().map(|n| (*n).clone()).collect();
            let mut open: Vec<String> = seen.iter().cloned().collect();
            while let Some(name) = open.pop() {
                for need in self.needs.get(&name).into_iter().flatten() {
                    if seen.insert(need.clone()) {
                        open.push(need.clone());
                    }
                }
            }
            seen
        };
        let apart = |name: &&String| self.declared.get(*name).is_some_and(|d| !self.loads(d));
        let production = walk(self.direct.iter().filter(|n| !apart(n)).collect());
        let development = walk(self.direct.iter().filter(apart).collect());
        self.development_reach = development.difference(&production).cloned().collect();
    }

    /// Whether the application has the gem in any group, by the lock file or the Gemfile.
    pub fn has(&self, gem: &str) -> bool {
        self.locked.contains_key(gem) || self.declared.contains_key(gem)
    }

    /// Whether the gem is there in production: present, and not only for development or tests.
    pub fn has_in_production(&self, gem: &str) -> bool {
        self.has(gem)
            && !self.development_reach.contains(gem)
            && self.declared.get(gem).is_none_or(|d| self.loads(d))
    }

    /// Whether production loads a declared gem: it is in no group, in `production`, or in one that
    /// `Bundler.require` names.
    pub fn loads(&self, gem: &Declared) -> bool {
        if !self.required.known || self.required.open {
            return !gem.development_only();
        }
        gem.groups.is_empty()
            || gem.groups.iter().any(|g| g == "production" || self.required.groups.contains(g))
    }

    /// `Bundler.require(:default, Rails.env)`, `Bundler.require(*Rails.groups(assets: %w[development]))`
    fn read_required(&mut self, call: &Call) {
        for argument in &call.args {
            match &argument.kind {
                Kind::Splat(inner) => self.read_required_argument(inner),
                _ => self.read_required_argument(argument),
            }
        }
        self.required.known = true;
    }

    fn read_required_argument(&mut self, node: &Node) {
        match &node.kind {
            Kind::Sym(_) | Kind::Str(_) => self.required.groups.extend(names(node)),
            Kind::Array(items) => items.iter().for_each(|i| self.read_required_argument(i)),
            // Groups by the environments that load them.
            Kind::Hash(pairs) => {
                for pair in pairs {
                    match &pair.value.kind {
                        Kind::Array(_) | Kind::Str(_) | Kind::Sym(_) => {
                            if names(&pair.value).iter().any(|e| e == "production") {
                                self.required.groups.extend(names(&pair.key));
                            }
                        }
                        _ => self.required.open = true,
                    }
                }
            }
            Kind::Call(call)
                if call.recv.as_ref().and_then(value::const_path).is_some_and(|p| p == "Rails") =>
            {
                match call.name.as_str() {
                    "groups" => call.args.iter().for_each(|a| self.read_required_argument(a)),
                    "env" => {}
                    _ => self.required.open = true,
                }
            }
            // `Rails.env.to_sym`
            Kind::Call(call) if matches!(call.name.as_str(), "to_sym" | "to_s") && call.recv.is_some() => {
                if let Some(recv) = &call.recv {
                    self.read_required_argument(recv);
                }
            }
            _ => self.required.open = true,
        }
    }

    /// The version of a gem as written: the locked one, else the lowest one that the Gemfile takes.
    pub fn version_text(&self, gem: &str) -> Option<String> {
        if let Some(version) = self.locked.get(gem) {
            return Some(version.clone());
        }
        if let Some(version) = self.declared.get(gem).and_then(|d| lower_bound(&d.requirements)) {
            return Some(version);
        }
        if RAILS_GEMS.contains(&gem) && gem != "rails" {
            self.rails_text().map(|(text, _)| text)
        } else {
            None
        }
    }

    /// The version of a gem: the locked one, else the lowest one that the Gemfile takes.
    pub fn version(&self, gem: &str) -> Option<Version> {
        self.version_text(gem).as_deref().and_then(Version::parse)
    }

    /// Whether the gem is known to be at this version or a later one.
    pub fn at_least(&self, gem: &str, version: &str) -> bool {
        self.known(gem).is_some_and(|have| compare(&have, version) != Ordering::Less)
    }

    /// Whether the gem is known to be older than this version. A requirement without a lock file
    /// counts as its lowest version.
    pub fn older_than(&self, gem: &str, version: &str) -> bool {
        self.known(gem).is_some_and(|have| compare(&have, version) == Ordering::Less)
    }

    fn known(&self, gem: &str) -> Option<String> {
        if gem == "rails" { self.rails_text().map(|(text, _)| text) } else { self.version_text(gem) }
    }

    /// The version of Rails; see [`Gems::rails_evidence`] for how sure it is.
    pub fn rails_version(&self) -> Option<Version> {
        self.rails_text().and_then(|(text, _)| Version::parse(&text))
    }

    /// How the version of Rails is known.
    pub fn rails_evidence(&self) -> Option<RailsEvidence> {
        self.rails_text().map(|(_, evidence)| evidence)
    }

    /// Rails' version as written and how it is known.
    pub fn rails_text(&self) -> Option<(String, RailsEvidence)> {
        const NAMED: [&str; 4] = ["rails", "railties", "actionpack", "activerecord"];
        if let Some(text) = NAMED.iter().find_map(|gem| self.locked.get(*gem)) {
            return Some((text.clone(), RailsEvidence::Locked));
        }
        if let Some(text) = &self.environment {
            return Some((text.clone(), RailsEvidence::Environment));
        }
        let bound = |gem: &&str| self.declared.get(*gem).and_then(|d| lower_bound(&d.requirements));
        if let Some(text) = NAMED.iter().find_map(bound) {
            return Some((text, RailsEvidence::Requirement));
        }
        if let Some(version) = self.load_defaults {
            return Some((version.to_string(), RailsEvidence::LoadDefaults));
        }
        self.idiom.map(|version| (version.to_string(), RailsEvidence::Idiom))
    }

    /// Ruby's version: a requirement counts as its lowest version.
    pub fn ruby_version(&self) -> Option<Version> {
        self.ruby.as_deref().and_then(Version::parse)
    }
}

/// Where a line of a Gemfile stands.
#[derive(Clone, Debug, Default)]
struct Place {
    groups: Vec<String>,
    source: Option<GemSource>,
    conditional: bool,
}

/// `nokogiri (1.18.0-x86_64-linux)` → the name and what stands in the brackets.
fn split_spec(line: &str) -> (&str, Option<&str>) {
    match line.split_once(" (") {
        Some((name, rest)) => (name, Some(rest.trim_end_matches('!').trim_end_matches(')'))),
        None => (line, None),
    }
}

/// `ruby-3.4.9`, `3.4.9`, `ruby 3.4.9p82`, `ree-1.8.7-2011.03@app` → without the default engine's
/// name, the patch level and the gemset.
fn ruby_version_file(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'))?;
    let line = line.strip_prefix("ruby").unwrap_or(line).trim_start_matches(['-', ' ']);
    let line = line.split(['@', ' ', '#']).next().unwrap_or(line);
    let cut = line.rfind('p').filter(|&i| {
        i > 0 && line[i + 1..].chars().all(|c| c.is_ascii_digit()) && line.as_bytes()[i - 1].is_ascii_digit()
    });
    let line = cut.map_or(line, |i| &line[..i]);
    (!line.is_empty()).then(|| line.to_owned())
}

/// The `ruby` line of `.tool-versions`.
fn tool_versions_file(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("ruby")).then(|| words.next()).flatten().and_then(ruby_version_file)
    })
}

/// The lowest version that all the requirements take; `None` where they name no lower bound.
fn lower_bound(requirements: &[String]) -> Option<String> {
    let mut best: Option<String> = None;
    for requirement in requirements.iter().flat_map(|r| r.split(',')) {
        let requirement = requirement.trim();
        if requirement.starts_with('<') || requirement.starts_with("!=") {
            continue;
        }
        let version = requirement.trim_start_matches(['~', '>', '=', ' ']);
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        if best.as_deref().is_none_or(|b| compare(b, version) == Ordering::Less) {
            best = Some(version.to_owned());
        }
    }
    best
}

/// The symbols and strings of a node, one or a list.
fn names(node: &Node) -> Vec<String> {
    match &node.kind {
        Kind::Array(items) => items.iter().filter_map(value::text).map(str::to_owned).collect(),
        _ => value::text(node).map(str::to_owned).into_iter().collect(),
    }
}

fn revision_of(options: &Node) -> Option<String> {
    ["ref", "tag", "branch"]
        .iter()
        .find_map(|k| value::option(options, k))
        .and_then(value::text)
        .map(str::to_owned)
}

/// `7.1`, `"7.1"`, `:latest` is nothing.
pub(crate) fn load_defaults_version(node: &Node) -> Option<Version> {
    match SettingValue::of(node) {
        SettingValue::Float(number) => Version::parse(&format!("{number:.1}")),
        SettingValue::Str(text) => Version::parse(&text),
        SettingValue::Int(number) => u32::try_from(number).ok().map(|n| Version(n, 0, 0)),
        _ => None,
    }
}

/// `Rails.application`
fn is_rails_application(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call(call) if call.name == "application"
        && call.recv.as_ref().and_then(value::const_path).is_some_and(|p| p == "Rails"))
}

#[cfg(test)]
mod tests;
