//! GitHub's workflows and composite actions: what they use, by tag or by commit.

use super::container::image;
use super::document::Node;
use super::reading::{Reading, shown};
use super::{Format, file_name};
use crate::{Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[Format {
    name: "GitHub workflow",
    ecosystem: Ecosystem::Ci,
    locks: true,
    matches: |path| {
        let yaml = path.ends_with(".yml") || path.ends_with(".yaml");
        yaml && (path.contains(".github/workflows/")
            || matches!(file_name(path), "action.yml" | "action.yaml"))
    },
    read: |file, bytes| Reading::yaml(file, bytes, document),
}];

fn document(reading: &mut Reading<'_>, root: &Node<'_>) {
    for (_, job) in root.entries_of("jobs") {
        if let Some(uses) = job.get("uses") {
            used(reading, uses);
        }
        steps(reading, job.items_of("steps"));
        if let Some(container) = job.get("container") {
            container_of(reading, container);
        }
        for (_, service) in job.entries_of("services") {
            container_of(reading, service);
        }
    }
    if let Some(runs) = root.get("runs") {
        steps(reading, runs.items_of("steps"));
        if let Some(built) = runs.get("image")
            && built.text().starts_with("docker://")
        {
            used(reading, built);
        }
    }
}

fn steps(reading: &mut Reading<'_>, steps: &[Node<'_>]) {
    for step in steps {
        if let Some(uses) = step.get("uses") {
            used(reading, uses);
        }
    }
}

fn container_of(reading: &mut Reading<'_>, node: &Node<'_>) {
    let node = node.get("image").unwrap_or(node);
    if let Some(package) = image(node.text(), node.span) {
        reading.package(package);
    }
}

fn used(reading: &mut Reading<'_>, node: &Node<'_>) {
    let words = node.text();
    // What stands in the same repository is the project's own.
    if words.starts_with('.') || words.is_empty() {
        return;
    }
    if words.starts_with("docker://") {
        container_of(reading, node);
        return;
    }
    let (path, reference) = words.split_once('@').unwrap_or((words, ""));
    let mut parts = path.split('/');
    let (Some(owner), Some(name)) = (parts.next(), parts.next().filter(|n| !n.is_empty())) else {
        let shown = shown(words);
        reading.problem(node.span.0 as usize, format!("`{shown}` names no action."));
        return;
    };
    let commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    // Beside a commit people, and the tools that move it, write the tag that it was.
    let version = if commit { tag_behind(reading.text, node.span.1 as usize) } else { reference };
    let mut package = Package::new(Ecosystem::Ci, format!("{owner}/{name}"), version, node.span);
    package.origin = Origin::Git {
        url: format!("https://github.com/{owner}/{name}"),
        revision: if commit { reference.to_owned() } else { String::new() },
        reference: if commit { String::new() } else { reference.to_owned() },
    };
    package.direct = true;
    reading.package(package);
}

fn tag_behind(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("").lines().next().unwrap_or("");
    let comment = rest.split_once('#').map_or("", |(_, c)| c.trim());
    let comment =
        comment.strip_prefix("tag=").or_else(|| comment.strip_prefix("ratchet:")).unwrap_or(comment);
    let word = comment.split_whitespace().next().unwrap_or("");
    let word = word.rsplit('@').next().unwrap_or(word);
    match word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) {
        true => word,
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow() {
        let text = "on: push\njobs:\n  test:\n    container: ruby:3.2\n    services:\n      db:\n        image: postgres:15\n    steps:\n      - uses: actions/checkout@v4\n      - uses: a/b/sub@0123456789abcdef0123456789abcdef01234567 # v1.2.3\n      - uses: ./local\n      - uses: docker://alpine:3.18\n      - run: echo\n  call:\n    uses: o/r/.github/workflows/x.yml@main\n";
        let path = ".github/workflows/ci.yml".into();
        let found = (FORMATS[0].read)(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(
            told,
            [
                ("actions/checkout", "v4"),
                ("a/b", "v1.2.3"),
                ("alpine", "3.18"),
                ("ruby", "3.2"),
                ("postgres", "15"),
                ("o/r", "main")
            ]
        );
        assert!(matches!(&found.packages[1].origin, Origin::Git { revision, .. } if revision.len() == 40));
        let (start, end) = found.packages[0].span;
        assert_eq!(&text[start as usize..end as usize], "actions/checkout@v4");
    }
}
