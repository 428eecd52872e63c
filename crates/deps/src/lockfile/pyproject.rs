//! Python's `pyproject.toml`: what PEP 621 and 735 write, and Poetry's own tables.

use std::sync::Arc;

use super::document::{Node, Value};
use super::python::{normal, requirement};
use super::reading::{Reading, shown};
use super::{Format, Inventory, file_name};
use crate::{Dependency, Ecosystem, Origin};

pub const FORMATS: &[Format] = &[Format {
    name: "pyproject.toml",
    ecosystem: Ecosystem::PyPi,
    locks: false,
    matches: |path| file_name(path) == "pyproject.toml",
    read,
}];

fn read(file: &Arc<str>, bytes: &[u8]) -> Inventory {
    Reading::toml(file, bytes, |reading, root| {
        if let Some(project) = root.get("project") {
            list(reading, project.items_of("dependencies"), "");
            for (group, node) in project.entries_of("optional-dependencies") {
                list(reading, node.items(), &group.text);
            }
            reading.runtime("python", project.text_of("requires-python"));
        }
        for (group, node) in root.entries_of("dependency-groups") {
            list(reading, node.items(), &group.text);
        }
        list(reading, root.at(&["build-system", "requires"]).map_or(&[], Node::items), "build");
        if let Some(poetry) = root.at(&["tool", "poetry"]) {
            table(reading, poetry.entries_of("dependencies"), "");
            table(reading, poetry.entries_of("dev-dependencies"), "dev");
            for (group, node) in poetry.entries_of("group") {
                table(reading, node.entries_of("dependencies"), &group.text);
            }
            sources(reading, poetry.items_of("source"));
        }
        if let Some(uv) = root.at(&["tool", "uv"]) {
            list(reading, uv.items_of("dev-dependencies"), "dev");
            sources(reading, uv.items_of("index"));
        }
        for (group, node) in root.at(&["tool", "pdm", "dev-dependencies"]).map_or(&[][..], Node::entries) {
            list(reading, node.items(), &group.text);
        }
    })
}

fn sources(reading: &mut Reading<'_>, nodes: &[Node<'_>]) {
    for node in nodes {
        if let Some(url) = node.get("url") {
            reading.source(url.text(), url.span);
        }
    }
}

fn list(reading: &mut Reading<'_>, items: &[Node<'_>], group: &str) {
    for item in items {
        // `{include-group = "x"}` stands among the texts.
        if item.is_map() {
            continue;
        }
        match requirement(item.text(), item.span) {
            Some(ask) => reading.ask(ask.in_group(group)),
            None => {
                let shown = shown(item.text());
                reading.problem(item.span.0 as usize, format!("`{shown}` is no requirement."));
            }
        }
    }
}

fn table(reading: &mut Reading<'_>, entries: &[(super::document::Name<'_>, Node<'_>)], group: &str) {
    for (name, node) in entries {
        let node = match &node.value {
            Value::List(items) => items.first().unwrap_or(node),
            _ => node,
        };
        let range = if node.is_map() { node.text_of("version") } else { node.text() };
        if name.text == "python" {
            reading.runtime("python", range);
            continue;
        }
        let mut ask = Dependency::new(normal(&name.text), range, name.span).in_group(group);
        if let Some(git) = node.get("git") {
            let reference =
                ["branch", "tag"].iter().map(|k| node.text_of(k)).find(|v| !v.is_empty()).unwrap_or("");
            ask.origin = Origin::Git {
                url: git.text().to_owned(),
                revision: node.text_of("rev").to_owned(),
                reference: reference.to_owned(),
            };
        } else if let Some(path) = node.get("path") {
            ask.origin = Origin::Path(path.text().to_owned());
        } else if let Some(url) = node.get("url") {
            ask.origin = Origin::Url(url.text().to_owned());
        }
        if node.flag("optional") && group.is_empty() {
            ask = ask.in_group("optional");
        }
        reading.ask(ask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_all_tools() {
        let text = "[project]\nrequires-python = \">=3.9\"\ndependencies = [\"Foo>=1\", \"bar @ git+https://x.test/bar\"]\n[project.optional-dependencies]\nextra = [\"baz\"]\n[dependency-groups]\ndev = [\"pytest\", {include-group = \"lint\"}]\n[tool.poetry.dependencies]\npython = \"^3.9\"\nqux = {git = \"https://x.test/q\", branch = \"main\"}\n[tool.poetry.group.test.dependencies]\ncov = \"*\"\n";
        let path: Arc<str> = "pyproject.toml".into();
        let found = read(&path, text.as_bytes());
        assert_eq!(found.problems, []);
        let told: Vec<_> =
            found.asks.iter().map(|a| (a.requirement.name.as_str(), a.groups.join(","))).collect();
        let group = |g: &str| g.to_owned();
        assert_eq!(
            told,
            [
                ("foo", group("")),
                ("bar", group("")),
                ("baz", group("extra")),
                ("pytest", group("dev")),
                ("qux", group("")),
                ("cov", group("test"))
            ]
        );
        assert_eq!(found.runtimes.len(), 2);
    }
}
