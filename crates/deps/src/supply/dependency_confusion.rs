//! Names of one's own that a public registry answers for.

use std::collections::{BTreeMap, BTreeSet};

use wardroom_model::{Confidence, Severity};

use super::report::{Reporter, Sighting};
use super::{File, Policy};
use crate::{Ecosystem, Origin};

wardroom_model::rule! {
    /// A package whose name is one's own is taken from the public registry, or a tool is told to look for
    /// all names in a private and a public registry alike.
    ///
    /// ## Why it is bad
    ///
    /// Anybody may publish a package of that name. Where the tool asks both registries it takes the higher
    /// version, so that the stranger's package is installed, and its code runs, on the next build.
    ///
    /// ## Example
    ///
    /// ```text
    /// --extra-index-url https://pypi.shop.example/simple
    /// shop-core==1.2.0
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```text
    /// --index-url https://pypi.shop.example/simple
    /// shop-core==1.2.0
    /// ```
    ///
    /// where the private registry passes on what it does not have. For npm bind the scope to its registry:
    /// `@shop:registry=https://npm.shop.example/`.
    ///
    /// ## References
    ///
    /// - CWE-427: Uncontrolled Search Path Element
    /// - CWE-829: Inclusion of Functionality from Untrusted Control Sphere
    rule: "dependency-confusion", "Own name from a public registry", Libraries, 427, High,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// Registries that hand on the public one or are public themselves.
const PUBLIC: [&str; 14] = [
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "registry.npmmirror.com",
    "registry.npm.taobao.org",
    "npm.jsr.io",
    "rubygems.org",
    "pypi.org",
    "pypi.python.org",
    "files.pythonhosted.org",
    "download.pytorch.org",
    "pypi.nvidia.com",
    "crates.io",
    "repo.maven.apache.org",
    "api.nuget.org",
];

/// Looks for names that are said to be own, for scopes from two registries, and for indexes side by side.
pub fn run(files: &[File<'_>], policy: &Policy, reporter: &mut Reporter) {
    for file in files {
        own_names(file, policy, reporter);
        mixed_scopes(file, reporter);
        extra_index(file, reporter);
    }
}

fn own_names(file: &File<'_>, policy: &Policy, reporter: &mut Reporter) {
    for package in &file.inventory.packages {
        let (Origin::Registry(url), Some(own)) = (&package.origin, policy.internal(&package.name)) else {
            continue;
        };
        let public = url.is_empty() || is_public(url);
        // A file that names no registry for a package says nothing of a private one either.
        let strange = !own.registry.is_empty() && !url.is_empty() && !is_under(url, &own.registry);
        if !(public || strange) || package.ecosystem == Ecosystem::Ci {
            continue;
        }
        let from = if public { "the public registry".to_owned() } else { without_user(url) };
        let remedy = match own.registry.as_str() {
            "" => "Bind the name to the private registry, and look at what was installed.".to_owned(),
            registry => {
                format!("Bind the name to {}, and look at what was installed.", without_user(registry))
            }
        };
        reporter.report(Sighting {
            rule: rule(),
            file,
            span: package.span,
            message: format!("`{}` is an own name and is taken from {from}", package.name),
            remedy,
            confidence: Confidence::High,
            severity: None,
            package: Some(package),
            key: package.name.clone(),
            places: Vec::new(),
        });
    }
}

/// Whether an address is a registry's, or one of a file within it. Names, passwords and what stands before
/// `://` play no part: tools write them differently.
fn is_under(url: &str, registry: &str) -> bool {
    let bare = |url: &str| {
        let url = without_user(url);
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        rest.trim_end_matches('/').to_ascii_lowercase()
    };
    let (url, registry) = (bare(url), bare(registry));
    url.strip_prefix(&registry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_public(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', ':']).next().unwrap_or("");
    PUBLIC.contains(&host) || host.ends_with(".crates.io")
}

/// A scope of which some packages come from a private registry is a private scope.
fn mixed_scopes(file: &File<'_>, reporter: &mut Reporter) {
    let mut scopes: BTreeMap<&str, (BTreeSet<&str>, Vec<usize>)> = BTreeMap::new();
    for (index, package) in file.inventory.packages.iter().enumerate() {
        let (Ecosystem::Npm, Origin::Registry(url)) = (package.ecosystem, &package.origin) else { continue };
        let Some((scope, _)) = package.name.split_once('/') else { continue };
        let entry = scopes.entry(scope).or_default();
        match url.is_empty() || is_public(url) {
            true => entry.1.push(index),
            false => {
                entry.0.insert(url);
            }
        }
    }
    // Where everything comes through one mirror, a package that does not is nobody's confusion.
    let mirrored = scopes.values().filter(|(private, _)| !private.is_empty()).count() > 3;
    for (scope, (private, public)) in scopes {
        let (Some(registry), false) = (private.first(), mirrored) else { continue };
        for index in public {
            let package = &file.inventory.packages[index];
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: package.span,
                message: format!(
                    "`{}` comes from the public registry, others of `{scope}` from {registry}",
                    package.name
                ),
                remedy: format!(
                    "Bind the scope in `.npmrc`: `{scope}:registry={registry}`, and update the lockfile."
                ),
                confidence: Confidence::Medium,
                severity: None,
                package: Some(package),
                key: package.name.clone(),
                places: Vec::new(),
            });
        }
    }
}

/// pip asks an extra index for every name, and takes the highest version of all.
fn extra_index(file: &File<'_>, reporter: &mut Reporter) {
    for (url, span) in &file.inventory.sources {
        let words = file.text.get(span.0 as usize..span.1 as usize).unwrap_or_default();
        if words.starts_with(b"--extra-index-url") && !is_public(url) {
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: *span,
                message: format!(
                    "pip looks for every name in {} and in the public index alike",
                    without_user(url)
                ),
                remedy: "Use `--index-url` with a registry that passes public packages on.".to_owned(),
                confidence: Confidence::Medium,
                severity: Some(Severity::Medium),
                package: None,
                key: url.clone(),
                places: Vec::new(),
            });
        }
    }
}

/// An address without the name and password that may stand in it.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |i| i + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        None => url.to_owned(),
    }
}
