//! The surface: every way in that the last scan of a repository saw, what stands in front of it, and
//! what is open on it.

mod map;

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use wardroom_desk::index::Shape;
use wardroom_desk::query::{Query, exactly};
use wardroom_desk::{Index, Millis, Viewer as Eyes};

use crate::App;
use crate::csv;
use crate::error::{Failed, url_encode};
use crate::session::Viewer;
use crate::view::{Frame, number};

use map::{Map, Open};

/// With so few repositories, each is shown at once.
const FEW: usize = 3;
/// Most repositories of the list.
const MOST: usize = 500;

pub fn router() -> Router<App> {
    Router::new().route("/surface", get(page)).route("/surface.csv", get(sheet))
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    repository: String,
    /// A controller to show the endpoints of, where there are too many to show all.
    controller: String,
    /// Words, all of which must be in an endpoint.
    q: String,
    /// Only with open findings.
    open: bool,
    /// Only without sign-in.
    public: bool,
    /// Only what changes data.
    writes: bool,
    /// Only without a check of rights.
    unchecked: bool,
}

impl Asked {
    fn of(parameters: &HashMap<String, String>) -> Asked {
        let text = |name: &str| parameters.get(name).map(|t| t.trim().to_owned()).unwrap_or_default();
        let flag = |name: &str| parameters.get(name).is_some_and(|t| t == "1");
        Asked {
            repository: text("repository"),
            controller: text("controller"),
            q: text("q").chars().take(200).collect(),
            open: flag("open"),
            public: flag("public"),
            writes: flag("writes"),
            unchecked: flag("unchecked"),
        }
    }

    fn address(&self, path: &str) -> String {
        let mut parts = Vec::new();
        for (name, value) in [("repository", &self.repository), ("controller", &self.controller), ("q", &self.q)] {
            if !value.is_empty() {
                parts.push(format!("{name}={}", url_encode(value)));
            }
        }
        for (name, on) in
            [("open", self.open), ("public", self.public), ("writes", self.writes), ("unchecked", self.unchecked)]
        {
            if on {
                parts.push(format!("{name}=1"));
            }
        }
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }

    /// Without any filter.
    fn bare(&self) -> Asked {
        Asked { repository: self.repository.clone(), ..Asked::default() }
    }

    fn filtered(&self) -> bool {
        *self != Asked { controller: self.controller.clone(), ..self.bare() }
    }

    fn chips(&self) -> Vec<Chip> {
        let chip = |label: &'static str, on: bool, asked: Asked| Chip { href: asked.address("/surface"), label, on };
        let with = || Asked { controller: String::new(), ..self.clone() };
        vec![
            chip("All", !self.filtered(), self.bare()),
            chip("With open findings", self.open, Asked { open: !self.open, ..with() }),
            chip("Without sign-in", self.public, Asked { public: !self.public, ..with() }),
            chip("Changes data", self.writes, Asked { writes: !self.writes, ..with() }),
            chip("No check of rights", self.unchecked, Asked { unchecked: !self.unchecked, ..with() }),
        ]
    }
}

/// A filter that can be put on or taken off.
#[derive(Clone, Debug)]
struct Chip {
    href: String,
    label: &'static str,
    on: bool,
}

/// A repository in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    name: String,
    href: String,
    open: Vec<Open>,
    total: u64,
}

#[derive(Template)]
#[template(path = "surface.html")]
struct SurfacePage {
    frame: Frame,
    asked: Asked,
    chips: Vec<Chip>,
    lines: Vec<Line>,
    maps: Vec<Map>,
    summary: String,
    csv: String,
    bare: String,
    all: String,
}

/// The term that holds for exactly one repository.
fn term(repository: &str) -> String {
    exactly(Shape::Word, "repository", repository)
}

/// Repositories that somebody may know of, with what is open in each, worst first.
fn lines(index: &Index, eyes: &Eyes, now: Millis) -> Vec<Line> {
    let facets = index.facets(&index.visible(eyes), &["repository"], MOST);
    let (query, _) = Query::parse("kind:finding is:open");
    let found = index.find(&query, eyes, now);
    let tree = index.rollup(&found, &["repository", "severity"], MOST).unwrap_or_default();
    let mut lines: Vec<Line> = facets
        .into_iter()
        .flat_map(|f| f.values)
        .map(|v| {
            let branch = tree.below.iter().find(|b| b.value == v.value);
            let query = query.with(&term(&v.value));
            Line {
                href: Asked { repository: v.value.clone(), ..Asked::default() }.address("/surface"),
                open: branch.map_or_else(Vec::new, |b| map::severities(&query, b)),
                total: branch.map_or(0, |b| b.count),
                name: v.value,
            }
        })
        .collect();
    let worst = |l: &Line| l.open.first().map(|o| (o.severity.parse::<wardroom_model::Severity>().ok(), o.count));
    lines.sort_by(|a, b| worst(b).cmp(&worst(a)).then_with(|| a.name.cmp(&b.name)));
    lines
}

async fn read(app: &App, viewer: &Viewer, asked: &Asked) -> Result<(Vec<Line>, Vec<Map>), Failed> {
    let lines = {
        let shared = app.desk.read();
        lines(&shared.index, &viewer.eyes(), app.desk.now())
    };
    let wanted: Vec<String> = if !asked.repository.is_empty() {
        // One that the viewer may not know of is told from nothing.
        if !lines.iter().any(|l| l.name == asked.repository) {
            return Err(Failed::nothing());
        }
        vec![asked.repository.clone()]
    } else if lines.len() <= FEW {
        lines.iter().map(|l| l.name.clone()).collect()
    } else {
        Vec::new()
    };
    let mut maps = Vec::new();
    for repository in wanted {
        let surface = app.desk.surface(&repository).await?;
        let shared = app.desk.read();
        maps.push(Map::new(&shared.index, &viewer.eyes(), &repository, &surface, asked, app.desk.now()));
    }
    Ok((lines, maps))
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let asked = Asked::of(&parameters);
    let (lines, maps) = read(&app, &viewer, &asked).await?;
    let page = SurfacePage {
        frame: Frame::of(&app, &viewer, "Surface", &asked.address("/surface")).await,
        summary: summary(&lines, &maps),
        chips: asked.chips(),
        csv: asked.address("/surface.csv"),
        bare: asked.bare().address("/surface"),
        all: Asked { repository: String::new(), controller: String::new(), ..asked.clone() }.address("/surface"),
        lines,
        maps,
        asked,
    };
    Ok(Html(page.render()?))
}

fn summary(lines: &[Line], maps: &[Map]) -> String {
    let many = |n: u64, one: &str| format!("{} {one}{}", number(n), if n == 1 { "" } else { "s" });
    if maps.is_empty() {
        // One repository is shown itself.
        return if lines.is_empty() { String::new() } else { format!("{} repositories", number(lines.len() as u64)) };
    }
    let controllers = maps.iter().map(|m| m.controllers.len() as u64).sum();
    let shown = maps.iter().map(|m| m.shown).sum();
    format!("{}, {}", many(controllers, "controller"), many(shown, "endpoint"))
}

async fn sheet(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Response, Failed> {
    let asked = Asked::of(&parameters);
    let (_, maps) = read(&app, &viewer, &asked).await?;
    let levels = ["critical", "high", "medium", "low", "info"];
    let head = ["repository", "method", "path", "handler", "sign-in", "rights", "forgery", "parameters"];
    let mut out = csv::line(head.into_iter().chain(levels));
    for map in &maps {
        for controller in &map.controllers {
            for way in &controller.all {
                let guards = |word: &str| {
                    let names = way.guards.iter().filter(|g| g.word == word).map(|g| g.name.as_str());
                    names.collect::<Vec<_>>().join(" ")
                };
                let (sign_in, rights, forgery) = (guards("sign-in"), guards("rights"), guards("forgery"));
                let parameters = way.parameters.join(" ");
                let counts = levels.map(|l| {
                    way.open.iter().find(|o| o.severity == l).map_or(0, |o| o.count).to_string()
                });
                let texts = [
                    map.repository.as_str(),
                    way.verb.as_str(),
                    way.path.as_str(),
                    way.handler.as_str(),
                    sign_in.as_str(),
                    rights.as_str(),
                    forgery.as_str(),
                    parameters.as_str(),
                ];
                out.push_str(&csv::line(texts.into_iter().chain(counts.iter().map(String::as_str))));
            }
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"surface.csv\""),
    ];
    Ok((headers, out).into_response())
}

#[cfg(test)]
mod tests;
