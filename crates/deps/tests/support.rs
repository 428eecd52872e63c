//! What is out of support, and what is old.

use std::sync::Arc;

use jiff::civil::{Date, date};
use wardroom_deps::Ecosystem;
use wardroom_deps::lockfile::format_of;
use wardroom_deps::supply::File;
use wardroom_deps::support::{Releases, Table, ages, out_of_support, outdated_libraries, rules};
use wardroom_model::Severity;

const TODAY: Date = date(2026, 11, 27);

fn with<T>(path: &str, text: &str, look: impl FnOnce(File<'_>) -> T) -> T {
    let path: Arc<str> = path.into();
    let format = format_of(&path).expect("a format");
    let inventory = (format.read)(&path, text.as_bytes());
    assert_eq!(inventory.problems, []);
    look(File { path: &path, text: text.as_bytes(), format, inventory: &inventory })
}

fn told(path: &str, text: &str) -> Vec<(String, Severity)> {
    with(path, text, |file| {
        let found = out_of_support(&[file], Table::built_in(), TODAY);
        found.into_iter().map(|f| (f.message, f.severity)).collect()
    })
}

fn one(message: &str, severity: Severity) -> Vec<(String, Severity)> {
    vec![(message.to_owned(), severity)]
}

#[test]
fn runtimes() {
    assert_eq!(
        told(".ruby-version", "3.2.1\n"),
        one("Ruby 3.2 gets no fixes since 2026-03-31", Severity::Medium)
    );
    assert_eq!(told(".ruby-version", "3.4.7\n"), []);
    assert_eq!(told(".ruby-version", "1.8.7\n").len(), 1);
    assert_eq!(told(".ruby-version", "jruby-9.4.0.0\n"), []);
    assert_eq!(told(".nvmrc", "lts/iron\n"), []);
    assert_eq!(told(".tool-versions", "nodejs 16.0.0\nruby 3.4.1\n").len(), 1);
    // A range says what is allowed, not what runs.
    assert_eq!(told("pyproject.toml", "[project]\nrequires-python = \">=3.6\"\n"), []);
    assert_eq!(told("package.json", "{\"engines\": {\"node\": \"14.x\"}}"), []);
    assert_eq!(told("package.json", "{\"engines\": {\"node\": \"14.17.0\"}}").len(), 1);
    assert_eq!(told("go.mod", "module x\n\ngo 1.18\n"), []);
}

#[test]
fn images_and_their_systems() {
    let found = told("Dockerfile", "FROM ruby:2.7.8-slim-buster\n");
    let messages: Vec<_> = found.iter().map(|(m, _)| m.as_str()).collect();
    assert_eq!(
        messages,
        ["Debian 10 gets no fixes since 2022-09-10", "Ruby 2.7 gets no fixes since 2023-03-31"]
    );
    assert_eq!(
        told("Dockerfile", "FROM debian:bookworm-slim\n"),
        one("Debian 12 gets only extended support since 2026-07-11", Severity::Low)
    );
    assert_eq!(told("Dockerfile", "FROM node:24-alpine\nFROM ruby\nFROM postgres:latest\nFROM ruby:3\n"), []);
    assert_eq!(told("Dockerfile", "FROM someone/ruby:2.7\n"), []);
    assert_eq!(told("compose.yaml", "services:\n  db:\n    image: postgres:9.6\n").len(), 1);
    assert_eq!(told("Dockerfile", "FROM ubuntu:focal\n").len(), 1);
    assert_eq!(told("Dockerfile", "FROM mcr.microsoft.com/dotnet/sdk:6.0\n").len(), 1);
}

#[test]
fn frameworks_and_ends_that_are_near() {
    assert_eq!(told("requirements.txt", "django==3.2.1\n").len(), 1);
    let soon =
        with(".ruby-version", "3.2.1\n", |f| out_of_support(&[f], Table::built_in(), date(2026, 3, 1)));
    assert_eq!(
        (soon[0].severity, soon[0].message.as_str()),
        (Severity::Info, "Ruby 3.2 gets fixes only until 2026-03-31")
    );
    let early =
        with(".ruby-version", "3.2.1\n", |f| out_of_support(&[f], Table::built_in(), date(2025, 3, 1)));
    assert_eq!(early, []);
}

#[test]
fn one_series_in_many_places_is_one_finding() {
    with("Dockerfile", "FROM ruby:3.2\nFROM node:24\nFROM ruby:3.2-slim\n", |docker| {
        with(".ruby-version", "3.2.1\n", |version| {
            let found = out_of_support(&[docker, version], Table::built_in(), TODAY);
            assert_eq!((found.len(), found[0].places.len()), (1, 2));
        });
    });
}

struct Known;

impl Releases for Known {
    fn released(&self, _: Ecosystem, _: &str, version: &str) -> Option<Date> {
        match version {
            "1.0" => Some(date(2020, 1, 1)),
            "2.0" => Some(date(2024, 1, 1)),
            "9.0" => Some(date(2030, 1, 1)),
            _ => None,
        }
    }

    fn newest(&self, _: Ecosystem, name: &str) -> Option<(String, Date)> {
        (name != "unknown").then(|| ("3.0".to_owned(), date(2025, 1, 1)))
    }
}

#[test]
fn libraries_that_are_behind() {
    let text = "old==1.0\nnew==2.0\nahead==9.0\nunknown==1.0\nundated==5.0\n";
    with("requirements.txt", text, |file| {
        let ages = ages(file.inventory, &Known);
        let years: Vec<_> = ages.iter().map(|a| (a.package, (a.years * 10.0).round() / 10.0)).collect();
        assert_eq!(years, [(0, 5.0), (1, 1.0), (2, 0.0)]);
        let found = outdated_libraries(&[file], &Known);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].message.as_str(), found[0].severity),
            ("`old` 1.0 is 5.0 years older than 3.0", Severity::Low)
        );
    });
}

#[test]
fn every_rule_has_its_page() {
    for rule in rules() {
        for part in ["## Why it is bad", "## Example", "## Use instead", "## References"] {
            assert!(rule.doc.contains(part), "{}: {part}", rule.id);
        }
    }
}
