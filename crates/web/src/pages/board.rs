//! The board: what a search finds, a column for each state.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query as Parameters, State};
use axum::response::Html;
use axum::routing::get;
use wardroom_desk::index::{Page, Shape};
use wardroom_desk::query::{Query, exactly};

use crate::App;
use crate::error::{Failed, url_encode};
use crate::pages::list::{self, Row, address};
use crate::pages::queue::{OPEN, kinds_of};
use crate::session::Viewer;
use crate::view::{Frame, number};

/// Cards of one column.
const CARDS: usize = 20;

pub fn router() -> Router<App> {
    Router::new().route("/board", get(page))
}

#[derive(Clone, Debug, Default)]
struct ColumnOf {
    name: String,
    title: String,
    help: String,
    class: &'static str,
    count: String,
    all: String,
    cards: Vec<Row>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    frame: Frame,
    heading: String,
    total: String,
    chips: Vec<(String, String)>,
    list: String,
    columns: Vec<ColumnOf>,
    kinds: Vec<(String, String, bool)>,
}

async fn page(
    State(app): State<App>,
    viewer: Viewer,
    Parameters(asked): Parameters<HashMap<String, String>>,
) -> Result<Html<String>, Failed> {
    let text = asked.get("q").map_or(OPEN, String::as_str);
    let (query, _) = list::read(&app, text, "/board");
    let program = app.desk.program();
    // A board has the states of one kind.
    let kinds = kinds_of(&app, &query);
    let name = kinds.first().map_or("finding", |k| k.0.as_str());
    let kind = program.kind(name).ok_or_else(Failed::nothing)?;
    let query =
        if kinds.len() == 1 { query } else { query.without_key("kind").with(&format!("kind:{name}")) };
    let sort = query.sort().unwrap_or_default();
    let only_open = query.has("is:open");
    let states: Vec<_> = kind.states.iter().filter(|s| s.open || !only_open).collect();
    let found: Vec<Page> = {
        let shared = app.desk.read();
        let matches = shared.index.find(&query, &viewer.eyes(), app.desk.now());
        let of_state = |state: &&wardroom_program::State| {
            let (only, _) = Query::parse(&exactly(Shape::Choice, "state", &state.name));
            let of_state = shared.index.among(&only, &matches, app.desk.now());
            shared.index.page(&of_state, sort, None, CARDS)
        };
        states.iter().map(of_state).collect()
    };
    let here = format!("/board?q={}", url_encode(&query.to_string()));
    let (cards, mut frame) =
        tokio::join!(list::rows_of(&app, &found), Frame::of(&app, &viewer, "Board", &here));
    let total = found.iter().map(|f| f.total).sum();
    let columns = states.into_iter().zip(&found).zip(cards?).map(|((state, found), cards)| ColumnOf {
        name: state.name.clone(),
        title: state.title.clone(),
        help: state.help.clone(),
        class: super::record::state_class(&state.name, state.open),
        count: number(found.total),
        all: address("/queue", &query.with(&exactly(Shape::Choice, "state", &state.name))),
        cards,
    });
    let columns = columns.collect();
    frame.search = query.to_string();
    let page = BoardPage {
        frame,
        heading: format!("{}: board", kind.plural),
        total: number(total),
        chips: query
            .terms
            .iter()
            .filter(|t| t.key != "kind")
            .map(|t| (t.to_string(), address("/board", &query.without(&t.to_string()))))
            .collect(),
        list: address("/queue", &query),
        columns,
        kinds: program
            .kinds
            .values()
            .map(|k| {
                let of = query.without_key("kind").with(&format!("kind:{}", k.name));
                (address("/board", &of), k.plural.clone(), k.name == kind.name)
            })
            .collect(),
    };
    Ok(Html(page.render()?))
}
