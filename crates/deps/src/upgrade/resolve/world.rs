//! What the resolver sees: packages and their versions as numbers, and what each version asks for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics, Ranges, resolve,
};

use crate::lockfile::Inventory;
use crate::upgrade::{Registry, Release};
use crate::version::{Version, takes};
use crate::{Ecosystem, Origin, Requirement};

/// The project itself, among the packages.
const ROOT: u32 = 0;
/// Most packages that one resolution looks at.
const MOST_PACKAGES: usize = 20_000;
/// Most choices that the resolver may make for one answer before it gives up.
const MOST_CHOICES: u32 = 30_000;
/// Most choices for all answers of one plan: after them every further question is answered with no, so that a
/// plan ends in seconds, with more changes than it needs or fewer weaknesses cleared.
const MOST_CHOICES_IN_ALL: u32 = 200_000;

/// A version for each package.
pub type Chosen = BTreeMap<u32, u32>;

/// All packages that the lockfile names or that could come in.
pub struct World<'r> {
    registry: &'r dyn Registry,
    runtime: Option<Version>,
    packages: RefCell<Vec<std::rc::Rc<Node>>>,
    ids: RefCell<HashMap<String, u32>>,
    ranges: RefCell<HashMap<(u32, String), Ranges<u32>>>,
    asks: Vec<Requirement>,
    locked: usize,
    choices: Cell<u32>,
}

struct Node {
    name: String,
    /// In the order of their versions.
    versions: Vec<Numbered>,
    locked: Option<u32>,
}

struct Numbered {
    text: String,
    version: Version,
    requires: Vec<Requirement>,
    /// It may be chosen; the locked version always may.
    candidate: bool,
}

/// Which versions may be chosen; a package that is not named may take any.
#[derive(Clone)]
pub struct Limits(HashMap<u32, BTreeSet<u32>>);

impl Limits {
    /// Everything is allowed.
    pub fn none() -> Limits {
        Limits(HashMap::new())
    }

    /// Only what is locked is allowed.
    pub fn locked(world: &World<'_>) -> Limits {
        let only = |package: u32| Some((package, [world.locked(package)?].into()));
        Limits(world.packages().filter_map(only).collect())
    }

    /// Whether a version may be chosen.
    pub fn allows(&self, package: u32, version: u32) -> bool {
        self.0.get(&package).is_none_or(|versions| versions.contains(&version))
    }

    /// Keeps of a package's `count` versions only those that are allowed and pass.
    pub fn narrow(&mut self, package: u32, count: u32, mut passes: impl FnMut(u32) -> bool) {
        let versions = self.0.entry(package).or_insert_with(|| (0..count).collect());
        versions.retain(|version| passes(*version));
    }

    /// Allows all versions of a package that pass, besides those that are allowed.
    pub fn widen(&mut self, package: u32, passes: &impl Fn(u32) -> bool, count: u32) {
        let versions = self.0.entry(package).or_insert_with(|| (0..count).collect());
        versions.extend((0..count).filter(|version| passes(*version)));
    }
}

impl<'r> World<'r> {
    /// Numbers the packages of a lockfile.
    pub fn new(inventory: &Inventory, registry: &'r dyn Registry, runtime: &str) -> World<'r> {
        let runtime = Some(runtime)
            .filter(|text| !text.is_empty())
            .and_then(|text| Version::parse(Ecosystem::RubyGems, text));
        let mut world = World {
            registry,
            runtime,
            packages: RefCell::default(),
            ids: RefCell::default(),
            ranges: RefCell::default(),
            asks: inventory.asks.iter().map(|ask| ask.requirement.clone()).collect(),
            locked: 0,
            choices: Cell::new(0),
        };
        let root = Node { name: String::new(), versions: Vec::new(), locked: None };
        world.packages.get_mut().push(root.into());
        let mut by_name: BTreeMap<&str, Vec<&crate::Package>> = BTreeMap::new();
        for package in &inventory.packages {
            by_name.entry(&package.name).or_default().push(package);
        }
        for (name, builds) in by_name {
            let node = world.node(name, &builds);
            world.add(name, node);
        }
        world.locked = world.packages.borrow().len();
        world
    }

    fn add(&self, name: &str, node: Node) -> u32 {
        let mut packages = self.packages.borrow_mut();
        let id = packages.len() as u32;
        packages.push(node.into());
        self.ids.borrow_mut().insert(name.to_owned(), id);
        id
    }

    /// A package with its versions; `builds` are its entries in the lockfile.
    fn node(&self, name: &str, builds: &[&crate::Package]) -> Node {
        // What comes from a repository or a folder has the one version that is there.
        let fixed = builds.iter().any(|build| !matches!(build.origin, Origin::Registry(_)));
        let releases = if fixed { None } else { self.registry.releases(Ecosystem::RubyGems, name) };
        let mut by_version: HashMap<&str, Vec<&Release>> = HashMap::new();
        for release in releases.iter().flat_map(|list| list.iter()).filter(|release| !release.yanked) {
            by_version.entry(&release.version).or_default().push(release);
        }
        let locked = builds.first().map(|build| build.version.as_str());
        let early = locked
            .and_then(|text| Version::parse(Ecosystem::RubyGems, text))
            .is_some_and(|version| version.is_prerelease());
        let mut versions: Vec<Numbered> = Vec::new();
        for (text, releases) in by_version {
            let Some(version) = Version::parse(Ecosystem::RubyGems, text) else { continue };
            if Some(text) == locked {
                continue;
            }
            let chosen = builds_for(&releases, builds);
            let runs = chosen.iter().flatten().all(|release| self.runs(&release.runtime));
            let candidate = runs
                && !chosen.is_empty()
                && chosen.iter().all(Option::is_some)
                && (early || !version.is_prerelease());
            let mut requires: Vec<Requirement> =
                chosen.into_iter().flatten().flat_map(|r| r.requires.clone()).collect();
            requires.sort_by(|a, b| (&a.name, &a.range).cmp(&(&b.name, &b.range)));
            requires.dedup();
            versions.push(Numbered { text: text.to_owned(), version, requires, candidate });
        }
        if let Some(text) = locked
            && let Some(version) = Version::parse(Ecosystem::RubyGems, text)
        {
            let requires = builds.iter().flat_map(|build| build.requires.clone()).collect();
            versions.push(Numbered { text: text.to_owned(), version, requires, candidate: true });
        }
        versions.sort_by(|a, b| {
            a.version.order(&b.version).unwrap_or(std::cmp::Ordering::Equal).then_with(|| a.text.cmp(&b.text))
        });
        let locked = locked.and_then(|text| versions.iter().position(|v| v.text == text)).map(|at| at as u32);
        Node { name: name.to_owned(), versions, locked }
    }

    /// Whether the project's runtime is one that a release runs on; where it is not known, it is believed to be.
    fn runs(&self, range: &str) -> bool {
        self.runtime.as_ref().is_none_or(|version| takes(Ecosystem::RubyGems, range, version) != Some(false))
    }

    fn get(&self, package: u32) -> std::rc::Rc<Node> {
        self.packages.borrow()[package as usize].clone()
    }

    /// The packages of the lockfile.
    pub fn packages(&self) -> impl Iterator<Item = u32> + use<> {
        1..self.locked as u32
    }

    /// A package by its name.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.ids.borrow().get(name).copied()
    }

    /// The name of a package.
    pub fn name(&self, package: u32) -> String {
        self.get(package).name.clone()
    }

    /// How many versions a package has.
    pub fn count(&self, package: u32) -> u32 {
        self.get(package).versions.len() as u32
    }

    /// The locked version, by its number.
    pub fn locked(&self, package: u32) -> Option<u32> {
        self.get(package).locked
    }

    /// A version as it is written.
    pub fn version(&self, package: u32, version: u32) -> String {
        self.get(package).versions[version as usize].text.clone()
    }

    /// Whether a version is one to move to.
    pub fn is_candidate(&self, package: u32, version: u32) -> bool {
        self.get(package).versions[version as usize].candidate
    }

    /// The number of a package that is asked for; `None` where nobody publishes it.
    fn required(&self, name: &str) -> Option<u32> {
        if let Some(id) = self.id(name) {
            return Some(id);
        }
        if self.packages.borrow().len() >= MOST_PACKAGES {
            return None;
        }
        let node = self.node(name, &[]);
        (!node.versions.is_empty()).then(|| self.add(name, node))
    }

    fn range(&self, package: u32, text: &str) -> Ranges<u32> {
        let key = (package, text.to_owned());
        if let Some(known) = self.ranges.borrow().get(&key) {
            return known.clone();
        }
        let node = self.get(package);
        let mut ranges = Ranges::empty();
        let mut start = None;
        for (number, version) in node.versions.iter().enumerate() {
            let number = number as u32;
            match (takes(Ecosystem::RubyGems, text, &version.version) == Some(true), start) {
                (true, None) => start = Some(number),
                (false, Some(from)) => {
                    ranges = ranges.union(&Ranges::between(from, number));
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(from) = start {
            ranges = ranges.union(&Ranges::higher_than(from));
        }
        self.ranges.borrow_mut().insert(key, ranges.clone());
        ranges
    }

    /// Versions that go together and keep to the limits; `None` where there are none, or where none is found
    /// with a reasonable number of choices.
    pub fn solve(&self, limits: &Limits) -> Option<Chosen> {
        let provider = Provider { world: self, limits, choices: Cell::new(0) };
        let solution = resolve(&provider, ROOT, 0u32).ok()?;
        Some(solution.into_iter().filter(|(package, _)| *package != ROOT).collect())
    }

    /// What keeps a version out, followed to its root: the manifest, or a parent of which no published version
    /// takes it.
    pub fn in_the_way(&self, package: u32, version: u32) -> Option<String> {
        let (mut package, mut version) = (package, version);
        // A chain longer than this is no explanation any more.
        for _ in 0..8 {
            let name = self.name(package);
            let target = self.get(package);
            let wanted = &target.versions.get(version as usize)?.version;
            let refuses = |range: &str| takes(Ecosystem::RubyGems, range, wanted) == Some(false);
            if let Some(ask) = self.asks.iter().find(|ask| ask.name == name && refuses(&ask.range)) {
                return Some(format!("the manifest asks for `{name}` ({})", ask.range));
            }
            let (parent, locked, range) = (1..self.locked as u32).find_map(|parent| {
                let node = self.get(parent);
                let locked = node.locked?;
                let need = node.versions[locked as usize]
                    .requires
                    .iter()
                    .find(|need| need.name == name && refuses(&need.range))?;
                Some((parent, locked, need.range.clone()))
            })?;
            let node = self.get(parent);
            let takes_it = |number: &u32| {
                let other = &node.versions[*number as usize];
                other.candidate
                    && !other.requires.iter().any(|need| need.name == name && refuses(&need.range))
            };
            let Some(newer) = (locked + 1..node.versions.len() as u32).find(takes_it) else {
                let (parent, text) = (&node.name, &node.versions[locked as usize].text);
                return Some(format!(
                    "`{parent}` {text} asks for `{name}` ({range}), and no later version of `{parent}` takes {}",
                    target.versions[version as usize].text
                ));
            };
            (package, version) = (parent, newer);
        }
        None
    }
}

/// For each build that is locked, the release that would take its place: of the same platform, else one that
/// runs anywhere. Of a package that is not locked, the one that runs anywhere.
fn builds_for<'r>(releases: &[&'r Release], builds: &[&crate::Package]) -> Vec<Option<&'r Release>> {
    let of = |platform: &str| releases.iter().find(|release| release.platform == platform).copied();
    match builds {
        [] => vec![of("").or_else(|| releases.first().copied())],
        builds => builds.iter().map(|build| of(&build.platform).or_else(|| of(""))).collect(),
    }
}

struct Provider<'w, 'r> {
    world: &'w World<'r>,
    limits: &'w Limits,
    choices: Cell<u32>,
}

/// The resolver was stopped.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many choices")
    }
}

impl std::error::Error for Stopped {}

impl DependencyProvider for Provider<'_, '_> {
    type P = u32;
    type V = u32;
    type VS = Ranges<u32>;
    type Priority = (u32, bool);
    type M = String;
    type Err = Stopped;

    fn prioritize(
        &self,
        package: &u32,
        _: &Ranges<u32>,
        conflicts: &PackageResolutionStatistics,
    ) -> (u32, bool) {
        // What is locked is decided before what comes in because of it.
        (conflicts.conflict_count(), (*package as usize) < self.world.locked)
    }

    fn choose_version(&self, package: &u32, range: &Ranges<u32>) -> Result<Option<u32>, Stopped> {
        if *package == ROOT {
            return Ok(Some(0));
        }
        self.choices.set(self.choices.get() + 1);
        self.world.choices.set(self.world.choices.get() + 1);
        if self.choices.get() > MOST_CHOICES || self.world.choices.get() > MOST_CHOICES_IN_ALL {
            return Err(Stopped);
        }
        let node = self.world.get(*package);
        let fits = |number: &u32| {
            let version = &node.versions[*number as usize];
            (version.candidate || node.locked == Some(*number))
                && range.contains(number)
                && self.limits.allows(*package, *number)
        };
        let count = node.versions.len() as u32;
        Ok(match node.locked {
            // As it is, else the nearest above. Nobody wants to be sent back.
            Some(locked) => (locked..count).find(&fits),
            None => (0..count).rev().find(&fits),
        })
    }

    fn get_dependencies(
        &self,
        package: &u32,
        version: &u32,
    ) -> Result<Dependencies<u32, Ranges<u32>, String>, Stopped> {
        let node = self.world.get(*package);
        let requires = match *package {
            ROOT => &self.world.asks,
            _ => &node.versions[*version as usize].requires,
        };
        let mut constraints: BTreeMap<u32, Ranges<u32>> = BTreeMap::new();
        for required in requires {
            // Bundler brings itself.
            if required.name == "bundler" && self.world.id("bundler").is_none() {
                continue;
            }
            let Some(id) = self.world.required(&required.name) else {
                return Ok(Dependencies::Unavailable(format!("`{}` is not published", required.name)));
            };
            let range = self.world.range(id, &required.range);
            let both = constraints.get(&id).map_or(range.clone(), |other| other.intersection(&range));
            constraints.insert(id, both);
        }
        Ok(Dependencies::Available(constraints.into_iter().collect::<DependencyConstraints<_, _>>()))
    }
}
