//! A library, where it comes from, and what it asks for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where packages of one kind are named, versioned and published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Ruby's gems.
    RubyGems,
    /// JavaScript's packages.
    Npm,
    /// Rust's crates.
    Cargo,
    /// Go's modules.
    Go,
    /// Python's packages.
    PyPi,
    /// PHP's packages.
    Composer,
    /// Java's artifacts: `group:artifact`.
    Maven,
    /// .NET's packages.
    NuGet,
    /// Elixir's and Erlang's packages.
    Hex,
    /// Dart's packages.
    Pub,
    /// Images of containers.
    Container,
    /// Actions and includes of continuous integration.
    Ci,
    /// Languages' own interpreters and compilers: `ruby`, `nodejs`, `python`.
    Runtime,
}

impl Ecosystem {
    /// Every one.
    pub const ALL: [Ecosystem; 13] = [
        Ecosystem::RubyGems,
        Ecosystem::Npm,
        Ecosystem::Cargo,
        Ecosystem::Go,
        Ecosystem::PyPi,
        Ecosystem::Composer,
        Ecosystem::Maven,
        Ecosystem::NuGet,
        Ecosystem::Hex,
        Ecosystem::Pub,
        Ecosystem::Container,
        Ecosystem::Ci,
        Ecosystem::Runtime,
    ];

    /// As OSV names it; `None` where OSV has no such ecosystem.
    pub fn osv(self) -> Option<&'static str> {
        Some(match self {
            Ecosystem::RubyGems => "RubyGems",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "crates.io",
            Ecosystem::Go => "Go",
            Ecosystem::PyPi => "PyPI",
            Ecosystem::Composer => "Packagist",
            Ecosystem::Maven => "Maven",
            Ecosystem::NuGet => "NuGet",
            Ecosystem::Hex => "Hex",
            Ecosystem::Pub => "Pub",
            Ecosystem::Ci => "GitHub Actions",
            Ecosystem::Container | Ecosystem::Runtime => return None,
        })
    }

    /// As a package URL names it.
    pub fn purl_type(self) -> &'static str {
        match self {
            Ecosystem::RubyGems => "gem",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Go => "golang",
            Ecosystem::PyPi => "pypi",
            Ecosystem::Composer => "composer",
            Ecosystem::Maven => "maven",
            Ecosystem::NuGet => "nuget",
            Ecosystem::Hex => "hex",
            Ecosystem::Pub => "pub",
            Ecosystem::Container => "docker",
            Ecosystem::Ci => "githubactions",
            Ecosystem::Runtime => "generic",
        }
    }

    /// As a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Ecosystem::RubyGems => "RubyGems",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "Cargo",
            Ecosystem::Go => "Go",
            Ecosystem::PyPi => "PyPI",
            Ecosystem::Composer => "Composer",
            Ecosystem::Maven => "Maven",
            Ecosystem::NuGet => "NuGet",
            Ecosystem::Hex => "Hex",
            Ecosystem::Pub => "Pub",
            Ecosystem::Container => "container image",
            Ecosystem::Ci => "CI include",
            Ecosystem::Runtime => "runtime",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

/// Where a package is taken from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// A registry, by its address; empty where it is the ecosystem's own and the file does not say so.
    Registry(String),
    /// A repository.
    Git {
        /// Its address.
        url: String,
        /// The commit that is locked; empty where none is.
        revision: String,
        /// The branch, tag or range that was asked for; empty where none was.
        reference: String,
    },
    /// A folder of the project, or beside it.
    Path(String),
    /// A file at an address.
    Url(String),
}

/// One package as one file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Whose rules its name and version follow.
    pub ecosystem: Ecosystem,
    /// As the ecosystem writes it, normalised where it has a rule for that.
    pub name: String,
    /// The locked version without the platform; empty where only a range is known.
    pub version: String,
    /// The platform that a build is for: `x86_64-linux`; empty for one that runs anywhere.
    pub platform: String,
    /// Where it is taken from.
    pub origin: Origin,
    /// `algorithm:hex` or `algorithm-base64` as the file has it; empty where it has none.
    pub checksum: String,
    /// The project itself asks for it.
    pub direct: bool,
    /// The groups that ask for it, as the files name them (`development`, `test`, `dev`, `optional`);
    /// empty where everything needs it.
    pub groups: Vec<String>,
    /// It runs code when it is installed, as the lockfile itself says.
    pub install_script: bool,
    /// What it asks for.
    pub requires: Vec<Requirement>,
    /// Where the file names it: bytes.
    pub span: (u32, u32),
}

/// What is asked for: a name and a range.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The name, normalised as a [`Package`]'s.
    pub name: String,
    /// The range as the ecosystem writes it; empty for any version.
    pub range: String,
}

/// What a manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Name and range.
    pub requirement: Requirement,
    /// The groups it is in; empty where everything needs it.
    pub groups: Vec<String>,
    /// Where it is to be taken from.
    pub origin: Origin,
    /// Where the file says so: bytes.
    pub span: (u32, u32),
}

/// A name as its ecosystem compares it: PyPI folds case, dots and underscores, Composer and NuGet fold case.
pub fn normalised(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPi => {
            let mut out = String::with_capacity(name.len());
            for c in name.chars() {
                if matches!(c, '-' | '_' | '.') {
                    if !out.ends_with('-') {
                        out.push('-');
                    }
                } else {
                    out.push(c.to_ascii_lowercase());
                }
            }
            out
        }
        Ecosystem::Composer | Ecosystem::NuGet | Ecosystem::Hex | Ecosystem::Pub | Ecosystem::Ci => {
            name.to_ascii_lowercase()
        }
        _ => name.to_owned(),
    }
}

impl Package {
    /// A package that the ecosystem's own registry gives, with nothing else known of it.
    pub fn new(
        ecosystem: Ecosystem,
        name: impl Into<String>,
        version: impl Into<String>,
        span: (u32, u32),
    ) -> Self {
        Package {
            ecosystem,
            name: name.into(),
            version: version.into(),
            platform: String::new(),
            origin: Origin::Registry(String::new()),
            checksum: String::new(),
            direct: false,
            groups: Vec::new(),
            install_script: false,
            requires: Vec::new(),
            span,
        }
    }
}

impl Requirement {
    /// A name and a range.
    pub fn new(name: impl Into<String>, range: impl Into<String>) -> Self {
        Requirement { name: name.into(), range: range.into() }
    }
}

impl Dependency {
    /// Something that everything needs, from the ecosystem's own registry.
    pub fn new(name: impl Into<String>, range: impl Into<String>, span: (u32, u32)) -> Self {
        Dependency {
            requirement: Requirement::new(name, range),
            groups: Vec::new(),
            origin: Origin::Registry(String::new()),
            span,
        }
    }

    /// The same in a group; an empty name is none.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        if !group.is_empty() {
            self.groups.push(group.to_owned());
        }
        self
    }
}
