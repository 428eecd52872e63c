//! Runtimes, images and frameworks that get no more fixes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use wardroom_model::{Confidence, Finding, Severity};

use super::cycle::{Cycle, End, Product, Table, canonical};
use crate::lockfile::file_name;
use crate::supply::File;
use crate::supply::report::{Reporter, Sighting};
use crate::{Ecosystem, Package};

wardroom_model::rule! {
    /// A language, a system or a framework is used in a series of releases that its maintainers no longer
    /// mend, or will not mend much longer.
    ///
    /// ## Why it is bad
    ///
    /// Weaknesses that are found from now on stay open. The fixes of the newer series tell attackers where
    /// to look. The longer the move waits, the more it takes.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM ruby:2.7-buster
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```dockerfile
    /// FROM ruby:3.4-trixie
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1104: Use of Unmaintained Third Party Components
    /// - <https://endoflife.date>
    rule: "out-of-support", "A series that gets no more fixes", Libraries, 1104, Medium
}

/// How long before the end it is told, in days.
const WARNING: i64 = 90;

/// Frameworks by the package that makes an application one of theirs.
const FRAMEWORKS: [(Ecosystem, &str, &str); 9] = [
    (Ecosystem::RubyGems, "rails", "rails"),
    (Ecosystem::RubyGems, "railties", "rails"),
    (Ecosystem::PyPi, "django", "django"),
    (Ecosystem::Composer, "laravel/framework", "laravel"),
    (Ecosystem::Composer, "symfony/framework-bundle", "symfony"),
    (Ecosystem::Npm, "@angular/core", "angular"),
    (Ecosystem::Maven, "org.springframework.boot:spring-boot-starter-parent", "spring-boot"),
    (Ecosystem::Maven, "org.springframework.boot:spring-boot-starter-web", "spring-boot"),
    (Ecosystem::Maven, "org.springframework.boot:spring-boot", "spring-boot"),
];

/// Images by their last names, and the product that is in them.
const IMAGES: [(&str, &str); 24] = [
    ("ruby", "ruby"),
    ("node", "nodejs"),
    ("python", "python"),
    ("golang", "go"),
    ("php", "php"),
    ("elixir", "elixir"),
    ("eclipse-temurin", "java"),
    ("openjdk", "java"),
    ("postgres", "postgresql"),
    ("postgresql", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mariadb"),
    ("mongo", "mongodb"),
    ("redis", "redis"),
    ("nginx", "nginx"),
    ("rabbitmq", "rabbitmq"),
    ("debian", "debian"),
    ("ubuntu", "ubuntu"),
    ("alpine", "alpine"),
    ("sdk", "dotnet"),
    ("aspnet", "dotnet"),
    ("runtime", "dotnet"),
    ("django", "django"),
    ("rails", "rails"),
];

/// Most places that are kept for one series.
const MOST_PLACES: usize = 100;

/// Whether anything that a project names can be of a product, by its id here or at endoflife.date.
pub fn looked_for(id: &str) -> bool {
    let id = canonical(id);
    Table::built_in().products.contains_key(id)
        || FRAMEWORKS.iter().any(|(.., own)| *own == id)
        || IMAGES.iter().any(|(_, own)| *own == id)
}

/// What is known to be used in one place.
struct Use<'p> {
    product: &'p Product,
    cycle: Option<&'p Cycle>,
    version: String,
    id: &'p str,
}

/// One place where it is used.
struct Place<'s, 'a> {
    file: &'s File<'a>,
    span: (u32, u32),
    package: Option<&'s Package>,
}

/// All that is used, by product and series.
#[derive(Default)]
struct Seen<'s, 'a> {
    all: BTreeMap<(&'s str, String), (Use<'s>, Vec<Place<'s, 'a>>)>,
}

impl<'s, 'a> Seen<'s, 'a> {
    fn take(&mut self, used: Use<'s>, place: Place<'s, 'a>) {
        let series = used.cycle.map_or(used.version.clone(), |c| c.name.clone());
        let (_, places) = self.all.entry((used.id, series)).or_insert_with(|| (used, Vec::new()));
        // What a file names twice, as a lockfile does Rails and its parts, is one place.
        let known = |p: &Place<'_, '_>| {
            p.file.path == place.file.path && (p.span == place.span || place.package.is_none())
        };
        if places.len() < MOST_PLACES && !places.iter().any(known) {
            places.push(place);
        }
    }
}

/// Looks at the runtimes, images and frameworks of a project: one finding for each series, with all the
/// places that name it. Whether something is over depends on `today`.
pub fn out_of_support(files: &[File<'_>], table: &Table, today: Date) -> Vec<Finding> {
    let mut seen = Seen::default();
    for file in files {
        for package in &file.inventory.packages {
            for used in uses(table, package) {
                seen.take(used, Place { file, span: package.span, package: Some(package) });
            }
        }
        // A range says what is allowed, not what runs; `go.mod` names the oldest language that will do.
        let runtimes = file.inventory.packages.iter().any(|p| p.ecosystem == Ecosystem::Runtime);
        if runtimes || file_name(file.path) == "go.mod" {
            continue;
        }
        for (name, version) in &file.inventory.runtimes {
            let exact = version.starts_with(|c: char| c.is_ascii_digit())
                && version.contains('.')
                && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
                && !version.ends_with(".x");
            let start = memchr::memmem::find(file.text, version.as_bytes());
            if let (true, Some(start)) = (exact, start)
                && let Some((id, product)) = table.products.get_key_value(name.as_str())
            {
                let used = Use { product, cycle: product.cycle(version), version: version.clone(), id };
                let span = (start as u32, (start + version.len()) as u32);
                seen.take(used, Place { file, span, package: None });
            }
        }
    }
    let mut reporter = Reporter::default();
    for (used, places) in seen.all.values() {
        report(&mut reporter, used, places, today);
    }
    reporter.findings()
}

fn uses<'p>(table: &'p Table, package: &Package) -> Vec<Use<'p>> {
    let by_version = |id: &str, version: &str| {
        let (id, product) = table.products.get_key_value(id)?;
        Some(Use { product, cycle: product.cycle(version), version: version.to_owned(), id })
    };
    match package.ecosystem {
        Ecosystem::Runtime => by_version(&package.name, &package.version).into_iter().collect(),
        Ecosystem::Container => image(table, package),
        ecosystem => FRAMEWORKS
            .iter()
            .find(|(e, name, _)| *e == ecosystem && *name == package.name)
            .and_then(|(.., id)| by_version(id, &package.version))
            .into_iter()
            .collect(),
    }
}

/// What an image's tag tells: the product's version in front, and the system behind it.
fn image<'p>(table: &'p Table, package: &Package) -> Vec<Use<'p>> {
    let mut out = Vec::new();
    let last = package.name.rsplit('/').next().unwrap_or(&package.name);
    // Only images of those who make the product, or of their registry, are called so with meaning.
    let official = !package.name.contains('/')
        || ["mcr.microsoft.com/dotnet/", "public.ecr.aws/docker/library/", "bitnami/", "cimg/", "circleci/"]
            .iter()
            .any(|p| package.name.starts_with(p));
    if !official {
        return out;
    }
    let mut parts = package.version.split('-');
    let first = parts.next().unwrap_or("");
    if let Some((_, id)) = IMAGES.iter().find(|(name, _)| *name == last)
        && let Some((id, product)) = table.products.get_key_value(*id)
    {
        let cycle = product.codenamed(first).or_else(|| product.cycle(first));
        out.push(Use { product, cycle, version: first.to_owned(), id });
    }
    for part in parts {
        for system in ["debian", "ubuntu"] {
            if let Some((id, product)) = table.products.get_key_value(system)
                && let Some(cycle) = product.codenamed(part)
            {
                out.push(Use { product, cycle: Some(cycle), version: cycle.name.clone(), id });
            }
        }
        if let Some(version) = part.strip_prefix("alpine").filter(|v| !v.is_empty())
            && let Some((id, product)) = table.products.get_key_value("alpine")
        {
            out.push(Use { product, cycle: product.cycle(version), version: version.to_owned(), id });
        }
    }
    out
}

fn report(reporter: &mut Reporter, used: &Use<'_>, places: &[Place<'_, '_>], today: Date) {
    let Some(first) = places.first() else { return };
    let title = &used.product.title;
    let (message, severity) = match used.cycle {
        Some(cycle) if cycle.ends.over(today) => {
            let since = match cycle.ends {
                End::On(day) => format!(" since {day}"),
                _ => String::new(),
            };
            match cycle.extended {
                extended if !extended.over(today) => {
                    (format!("{title} {} gets only extended support{since}", cycle.name), Some(Severity::Low))
                }
                _ => (format!("{title} {} gets no fixes{since}", cycle.name), None),
            }
        }
        Some(cycle) => match cycle.ends {
            End::On(day) if days_between(today, day) <= WARNING => {
                (format!("{title} {} gets fixes only until {day}", cycle.name), Some(Severity::Info))
            }
            _ => return,
        },
        None if used.product.older_than_all(&used.version) => {
            (format!("{title} {} is older than every series that is still looked at", used.version), None)
        }
        None => return,
    };
    let newest =
        used.product.cycles.iter().find(|c| !c.ends.over(today) && c.released.is_none_or(|r| r <= today));
    let remedy = match newest {
        Some(newest) => format!("Move to a supported series; the newest is {}.", newest.name),
        None => "Move to a supported series.".to_owned(),
    };
    reporter.report(Sighting {
        rule: rule(),
        file: first.file,
        span: first.span,
        message,
        remedy,
        confidence: Confidence::High,
        severity,
        package: first.package,
        key: format!("{} {}", used.id, used.cycle.map_or(used.version.as_str(), |c| &c.name)),
        places: places[1..].iter().map(|p| (p.file, p.span)).collect(),
    });
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(i64::MAX, |span| i64::from(span.get_days()))
}
