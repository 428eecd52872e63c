//! Packages that run code as soon as they are installed.

use wardroom_model::Confidence;

use super::File;
use super::report::{Reporter, Sighting, named};

wardroom_model::rule! {
    /// Packages run a script of their own when they are installed, as the lockfile says.
    ///
    /// ## Why it is bad
    ///
    /// The script runs on every developer's machine and in every build, with their keys, before anybody has
    /// looked at the code. Most of the worms among packages spread by it. Few packages need it.
    ///
    /// ## Example
    ///
    /// ```json
    /// "node_modules/shop-tracker": {"version": "1.0.1", "hasInstallScript": true}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```text
    /// npm config set ignore-scripts true
    /// ```
    ///
    /// and allow those packages by name that need their script: pnpm has `onlyBuiltDependencies` for it, bun
    /// `trustedDependencies`.
    ///
    /// ## References
    ///
    /// - CWE-829: Inclusion of Functionality from Untrusted Control Sphere
    rule: "install-script", "Packages that run code when installed", Libraries, 829, Info
}

/// Packages that build or fetch a binary for the machine, which is what a script is for. They are known
/// and used by many, and are not worth a look in every project.
const KNOWN: [&str; 22] = [
    "@parcel/watcher",
    "@swc/core",
    "@tailwindcss/oxide",
    "better-sqlite3",
    "bcrypt",
    "bufferutil",
    "core-js",
    "core-js-pure",
    "canvas",
    "cypress",
    "electron",
    "esbuild",
    "fsevents",
    "msw",
    "node-sass",
    "playwright",
    "protobufjs",
    "puppeteer",
    "sharp",
    "sqlite3",
    "unrs-resolver",
    "utf-8-validate",
];

/// One finding for each lockfile.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    for file in files {
        let unknown = |name: &str| {
            !KNOWN.contains(&name) && !name.starts_with("@esbuild/") && !name.starts_with("esbuild-")
        };
        let packages = &file.inventory.packages;
        let mut found: Vec<_> = packages.iter().filter(|p| p.install_script && unknown(&p.name)).collect();
        found.sort_by_key(|p| p.span);
        let Some(first) = found.first() else { continue };
        let mut names: Vec<&str> = found.iter().map(|p| p.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let verb = if names.len() == 1 { "runs" } else { "run" };
        reporter.report(Sighting {
            rule: rule(),
            file,
            span: first.span,
            key: names.join(" "),
            message: format!("{} {verb} code of their own when installed", named(names.into_iter()))
                .replace("runs code of their own", "runs code of its own"),
            remedy: "Switch scripts off, and allow by name the packages that need theirs.".to_owned(),
            confidence: Confidence::High,
            severity: None,
            package: (found.len() == 1).then_some(*first),
            places: found[1..].iter().map(|p| (file, p.span)).collect(),
        });
    }
}
