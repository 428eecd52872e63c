//! How the work goes: figures over the same columns as the lists, each a link to its records.

mod figures;

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::App;
use crate::csv;
use crate::error::{Failed, url_encode};
use crate::pages::list::{self, Complaint};
use crate::session::Viewer;
use crate::view::{Frame, datetime, day, moment};

use figures::{Asked, Figures, WINDOWS};

pub fn router() -> Router<App> {
    Router::new().route("/metrics", get(page)).route("/metrics.csv", get(sheet))
}

/// Something to choose from.
#[derive(Clone, Debug, Default)]
struct Choice {
    value: String,
    on: bool,
}

/// A span of time to choose.
#[derive(Clone, Debug, Default)]
struct Span {
    href: String,
    label: &'static str,
    on: bool,
}

#[derive(Template)]
#[template(path = "metrics.html")]
pub(crate) struct MetricsPage {
    frame: Frame,
    asked: Asked,
    spans: Vec<Span>,
    repositories: Vec<Choice>,
    teams: Vec<Choice>,
    complaints: Vec<Complaint>,
    csv: String,
    now: String,
    now_title: String,
    today: String,
    figures: Figures,
}

/// The address of the page, or of the sheet, for what is asked.
fn address(path: &str, asked: &Asked) -> String {
    let mut parts = Vec::new();
    for (name, value, usual) in [
        ("q", asked.q.as_str(), figures::ALL),
        ("window", &asked.window.to_string(), "90"),
        ("repository", &asked.repository, ""),
        ("team", &asked.team, ""),
    ] {
        if value != usual {
            // `&` and `=` are encoded too: a value cannot add a name.
            parts.push(format!("{name}={}", url_encode(value)));
        }
    }
    if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let asked = Asked::of(&parameters);
    let here = address("/metrics", &asked);
    let now = app.desk.now();
    let (_, complaints) = list::read(&app, &asked.q, "/metrics");
    let (figures, repositories, teams) = {
        let shared = app.desk.read();
        let eyes = viewer.eyes();
        let figures = Figures::new(&shared.index, &shared.program, &eyes, &asked, now);
        let choices = |field, chosen: &str| choices(figures::values(&shared.index, &eyes, field, now), chosen);
        let choices = (choices("repository", &asked.repository), choices("team", &asked.team));
        (figures, choices.0, choices.1)
    };
    let spans = WINDOWS.iter().map(|(days, label)| Span {
        href: address("/metrics", &Asked { window: *days, ..asked.clone() }),
        label,
        on: *days == asked.window,
    });
    let page = MetricsPage {
        frame: Frame::of(&app, &viewer, "Metrics", &here).await,
        spans: spans.collect(),
        repositories,
        teams,
        complaints,
        csv: address("/metrics.csv", &asked),
        now: datetime(now),
        now_title: moment(now),
        today: day(now, now),
        figures,
        asked,
    };
    Ok(Html(page.render()?))
}

fn choices(mut values: Vec<String>, chosen: &str) -> Vec<Choice> {
    // What was asked for stays in the form, be it there or not.
    if !chosen.is_empty() && !values.iter().any(|v| v == chosen) {
        values.push(chosen.to_owned());
    }
    values.sort();
    values.into_iter().map(|value| Choice { on: value == chosen, value }).collect()
}

async fn sheet(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(parameters): Parameters<HashMap<String, String>>,
) -> Result<Response, Failed> {
    let asked = Asked::of(&parameters);
    let figures = {
        let shared = app.desk.read();
        Figures::new(&shared.index, &shared.program, &viewer.eyes(), &asked, app.desk.now())
    };
    let mut out = csv::line(["chart", "row", "column", "value", "search"]);
    for table in figures.tables() {
        for row in &table.rows {
            for (head, cell) in table.head.iter().skip(1).zip(&row.cells) {
                let search = figures::search_of(&cell.href);
                out.push_str(&csv::line([
                    table.caption.as_str(),
                    row.head.as_str(),
                    head.as_str(),
                    cell.text.as_str(),
                    search.as_str(),
                ]));
            }
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"metrics.csv\""),
    ];
    Ok((headers, out).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_stands_in_the_address_and_cannot_add_to_it() {
        let asked = Asked::of(&HashMap::new());
        assert_eq!(address("/metrics", &asked), "/metrics");
        let hostile = Asked { repository: "a&team=x#\"><script>".to_owned(), window: 365, ..asked };
        assert_eq!(
            address("/metrics", &hostile),
            "/metrics?window=365&repository=a%26team%3Dx%23%22%3E%3Cscript%3E"
        );
    }

    #[test]
    fn a_choice_that_is_gone_stays_in_the_form() {
        let all = choices(vec!["b".to_owned(), "a".to_owned()], "c");
        assert_eq!(all.iter().map(|c| (c.value.as_str(), c.on)).collect::<Vec<_>>(), [
            ("a", false),
            ("b", false),
            ("c", true)
        ]);
    }
}
