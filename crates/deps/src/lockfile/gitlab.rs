//! GitLab's pipelines: what they include from elsewhere and the images that they run in.

use rustc_hash::FxHashMap;

use super::container::{expand, image};
use super::document::{Node, Value};
use super::reading::Reading;
use super::{Format, file_name};
use crate::{Ecosystem, Origin, Package};

pub const FORMATS: &[Format] = &[Format {
    name: ".gitlab-ci.yml",
    ecosystem: Ecosystem::Ci,
    locks: true,
    matches: |path| {
        let name = file_name(path);
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        yaml && (name.starts_with(".gitlab-ci")
            || name.ends_with(".gitlab-ci.yml")
            || path.contains(".gitlab/ci/"))
    },
    read: |file, bytes| Reading::yaml(file, bytes, document),
}];

fn document(reading: &mut Reading<'_>, root: &Node<'_>) {
    if let Some(include) = root.get("include") {
        match &include.value {
            Value::List(items) => items.iter().for_each(|i| included(reading, i)),
            _ => included(reading, include),
        }
    }
    let mut variables: FxHashMap<String, String> = root
        .entries_of("variables")
        .iter()
        .map(|(name, node)| {
            let value = if node.is_map() { node.text_of("value") } else { node.text() };
            (name.text.to_string(), value.to_owned())
        })
        .collect();
    // The proxy of GitLab hands on what Docker's own registry has.
    for proxy in ["CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX", "CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX"] {
        variables.insert(proxy.to_owned(), "docker.io".to_owned());
    }
    images(reading, root, &variables);
    for (name, job) in root.entries() {
        if job.is_map() && !matches!(&*name.text, "include" | "variables" | "workflow" | "image") {
            images(reading, job, &variables);
        }
    }
}

fn images(reading: &mut Reading<'_>, job: &Node<'_>, variables: &FxHashMap<String, String>) {
    let named = |node: &Node<'_>| -> (String, (u32, u32)) {
        let node = node.get("name").unwrap_or(node);
        (expand(node.text(), variables), node.span)
    };
    for node in job.get("image").into_iter().chain(job.items_of("services")) {
        let (words, at) = named(node);
        // A job may take what another one has: each place where a name is written counts once.
        if words.contains('$') || reading.found.packages.iter().rev().take(1_000).any(|p| p.span == at) {
            continue;
        }
        if let Some(package) = image(&words, at) {
            reading.package(package);
        }
    }
}

fn included(reading: &mut Reading<'_>, node: &Node<'_>) {
    let add = |reading: &mut Reading<'_>, name: &str, version: &str, origin: Origin, at| {
        let mut package = Package::new(Ecosystem::Ci, name, version, at);
        package.origin = origin;
        package.direct = true;
        reading.package(package);
    };
    let written = node.text();
    if let Some(remote) = node.get("remote").or_else(|| written.starts_with("http").then_some(node)) {
        add(reading, remote.text(), "", Origin::Url(remote.text().to_owned()), remote.span);
    } else if let Some(project) = node.get("project") {
        let reference = node.text_of("ref");
        let commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        let origin = Origin::Git {
            url: project.text().to_owned(),
            revision: if commit { reference.to_owned() } else { String::new() },
            reference: if commit { String::new() } else { reference.to_owned() },
        };
        add(reading, project.text(), reference, origin, project.span);
    } else if let Some(component) = node.get("component") {
        let (name, version) = component.text().rsplit_once('@').unwrap_or((component.text(), ""));
        let commit = version.len() == 40 && version.bytes().all(|b| b.is_ascii_hexdigit());
        let origin = Origin::Git {
            url: name.to_owned(),
            revision: if commit { version.to_owned() } else { String::new() },
            reference: if commit { String::new() } else { version.to_owned() },
        };
        add(reading, name, version, origin, component.span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline() {
        let text = "include:\n  - local: /a.yml\n  - remote: https://x.test/b.yml\n  - project: g/p\n    ref: v1\n    file: /c.yml\n  - component: gitlab.com/g/c@1.0\n  - template: Jobs/SAST.gitlab-ci.yml\nvariables:\n  RUBY: \"3.2\"\nimage: ruby:$RUBY\n.base: &base\n  image:\n    name: node:20\n  services:\n    - postgres:15\n    - name: redis:7\njob:\n  <<: *base\n  script: [echo]\nother:\n  image: $UNKNOWN\nproxied:\n  image: ${CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX}/golang:1.27\n";
        let path = ".gitlab-ci.yml".into();
        let found = (FORMATS[0].read)(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> = found.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(
            told,
            [
                ("https://x.test/b.yml", ""),
                ("g/p", "v1"),
                ("gitlab.com/g/c", "1.0"),
                ("ruby", "3.2"),
                ("node", "20"),
                ("postgres", "15"),
                ("redis", "7"),
                ("golang", "1.27")
            ]
        );
    }
}
