//! Packages over connections that anybody on the way can change.

use std::collections::BTreeMap;

use wardroom_model::Confidence;

use super::File;
use super::report::{Reporter, Sighting, named};
use crate::{Ecosystem, Origin};

wardroom_model::rule! {
    /// Packages are fetched over `http:` or `git:`, which neither encrypt nor say who answers.
    ///
    /// ## Why it is bad
    ///
    /// Anybody between the build machine and the server can put another package in place. A checksum in the
    /// lockfile helps only until the next update, which takes the checksum from the same connection.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// source "http://rubygems.org"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// source "https://rubygems.org"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-319: Cleartext Transmission of Sensitive Information
    /// - CWE-494: Download of Code Without Integrity Check
    rule: "insecure-source-url", "Packages over an open connection", Libraries, 319, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
}

/// The name of what is fetched, empty for a registry, and where the file says so.
type Named<'f> = (&'f str, (u32, u32));

/// The scheme and host of an address that is open; none for one that is closed or stays on the machine.
fn open_host(url: &str) -> Option<String> {
    let scheme = ["http://", "git://"].into_iter().find(|s| url.starts_with(s))?;
    let rest = &url[scheme.len()..];
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let local =
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "0.0.0.0" | "host.docker.internal" | "" | "[")
            || name.ends_with(".localhost")
            || name.contains(['$', '{', '%']);
    (!local).then(|| format!("{scheme}{host}"))
}

/// Looks at registries, repositories and files: one finding for each server in each file.
pub fn run(files: &[File<'_>], reporter: &mut Reporter) {
    for file in files {
        let mut hosts: BTreeMap<String, Vec<Named<'_>>> = BTreeMap::new();
        let mut add = |url: &str, name, span| {
            if let Some(host) = open_host(url) {
                hosts.entry(host).or_default().push((name, span));
            }
        };
        for (url, span) in &file.inventory.sources {
            add(url, "", *span);
        }
        for package in &file.inventory.packages {
            // An image's host says nothing of the way that it is asked on.
            if package.ecosystem != Ecosystem::Container {
                add(url_of(&package.origin), &package.name, package.span);
            }
        }
        for ask in &file.inventory.asks {
            add(url_of(&ask.origin), &ask.requirement.name, ask.span);
        }
        for (host, mut places) in hosts {
            places.sort_by_key(|(_, span)| *span);
            places.dedup_by_key(|(_, span)| *span);
            let names: Vec<&str> = places.iter().map(|(name, _)| *name).filter(|n| !n.is_empty()).collect();
            let what = if names.is_empty() { "Packages".to_owned() } else { named(names.into_iter()) };
            let verb = if places.len() == 1 && what.starts_with('`') { "comes" } else { "come" };
            reporter.report(Sighting {
                rule: rule(),
                file,
                span: places[0].1,
                message: format!("{what} {verb} from {host} over an open connection"),
                remedy: "Write `https:` in place of it, and update the lockfile.".to_owned(),
                confidence: Confidence::High,
                severity: None,
                package: None,
                key: host,
                places: places[1..].iter().map(|(_, span)| (file, *span)).collect(),
            });
        }
    }
}

fn url_of(origin: &Origin) -> &str {
    match origin {
        Origin::Registry(url) | Origin::Url(url) | Origin::Git { url, .. } => url,
        Origin::Path(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        assert_eq!(open_host("http://u:p@x.test:80/a").as_deref(), Some("http://x.test:80"));
        assert_eq!(open_host("git://x.test/a.git").as_deref(), Some("git://x.test"));
        for closed in [
            "https://x.test",
            "http://localhost:4873/a",
            "http://127.0.0.1",
            "git@x.test:a",
            "",
            "http://$HOST/",
        ] {
            assert_eq!(open_host(closed), None, "{closed}");
        }
    }
}
