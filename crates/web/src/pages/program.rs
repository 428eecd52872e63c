//! The program in force, to be read: its files, and its kinds in words and as a diagram. Nothing is
//! changed here; that is done by review, in its repository.

mod diagram;
mod kind;

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::get;
use wardroom_desk::index::{Sort, SortBy};
use wardroom_desk::query::Query;
use wardroom_program::Program;

use crate::App;
use crate::error::{Failed, url_encode};
use crate::pages::list::{Row, address, fetch};
use crate::session::Viewer;
use crate::view::{Frame, title};

use kind::KindPage;

/// Versions shown.
const VERSIONS: usize = 10;

pub fn router() -> Router<App> {
    Router::new()
        .route("/program", get(overview))
        .route("/program/kinds/{kind}", get(one_kind))
        .route("/program/files/{*path}", get(file))
}

/// A folder of the program's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// Its path; empty at the top.
    pub name: String,
    pub files: Vec<FileLink>,
}

/// A file in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileLink {
    pub name: String,
    pub href: String,
    pub current: bool,
}

/// The files by folder, those at the top first.
fn folders(program: &Program, current: &str) -> Vec<Folder> {
    let mut by_name: BTreeMap<&str, Vec<FileLink>> = BTreeMap::new();
    for path in program.files.keys() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        by_name.entry(folder).or_default().push(FileLink {
            name: name.to_owned(),
            href: format!("/program/files/{}", url_encode(path)),
            current: path == current,
        });
    }
    by_name.into_iter().map(|(name, files)| Folder { name: name.to_owned(), files }).collect()
}

/// The file that declares a kind.
fn file_of<'a>(program: &'a Program, kind: &str) -> Option<&'a str> {
    let stem = |path: &str| path.strip_prefix("kinds/").and_then(|p| p.rsplit_once('.')).map(|(s, _)| s.to_owned());
    program.files.keys().find(|path| stem(path).as_deref() == Some(kind)).map(String::as_str)
}

/// The kind that a file declares.
fn kind_in<'a>(program: &'a Program, path: &str) -> Option<&'a str> {
    program.kinds.keys().find(|k| file_of(program, k) == Some(path)).map(String::as_str)
}

/// A kind in the overview.
#[derive(Clone, Debug, Default)]
struct KindLine {
    name: String,
    title: String,
    prefix: String,
    summary: String,
    records: String,
    states: usize,
}

/// A role and what it may.
#[derive(Clone, Debug, Default)]
struct RoleLine {
    title: String,
    name: String,
    may: [bool; 5],
}

#[derive(Template)]
#[template(path = "program.html")]
struct ProgramPage {
    frame: Frame,
    folders: Vec<Folder>,
    name: String,
    digest: String,
    zone: String,
    working: String,
    holidays: Vec<String>,
    unseen_after: u32,
    likeness: String,
    kinds: Vec<KindLine>,
    roles: Vec<RoleLine>,
    versions: Vec<Row>,
    versions_href: String,
}

async fn overview(State(app): State<App>, viewer: Viewer) -> Result<Html<String>, Failed> {
    let program = app.desk.program();
    let (query, _) = Query::parse("kind:program");
    let newest = Sort { by: SortBy::Opened, reversed: false };
    let (_, versions) = fetch(&app, &viewer, &query, newest, None, VERSIONS).await?;
    let frame = Frame::of(&app, &viewer, "Program", "/program").await;
    Ok(Html(build(frame, &program, versions).render()?))
}

fn build(frame: Frame, program: &Program, versions: Vec<Row>) -> ProgramPage {
    let kind = |k: &wardroom_program::Kind| KindLine {
        name: k.name.clone(),
        title: k.title.clone(),
        prefix: k.prefix.clone(),
        summary: k.summary.clone(),
        records: address("/queue", &Query::parse(&format!("kind:{}", k.name)).0),
        states: k.states.len(),
    };
    let role = |r: &wardroom_program::Role| RoleLine {
        title: r.title.clone(),
        name: r.name.clone(),
        may: [r.confidential, r.edit, r.comment, r.deliver, r.admin],
    };
    let calendar = &program.calendar;
    let days: Vec<String> = calendar.working.iter().map(|d| title(&format!("{d:?}"))).collect();
    ProgramPage {
        frame,
        folders: folders(program, ""),
        name: program.name.clone(),
        digest: program.digest.clone(),
        zone: calendar.zone.iana_name().unwrap_or("UTC").to_owned(),
        working: days.join(", "),
        holidays: calendar.holidays.iter().map(ToString::to_string).collect(),
        unseen_after: program.policies.identity.resolve_unseen_after,
        likeness: format!("{:.0} %", program.policies.identity.likeness * 100.0),
        kinds: program.kinds.values().map(kind).collect(),
        roles: program.policies.roles.iter().map(role).collect(),
        versions,
        versions_href: address("/queue", &Query::parse("kind:program").0),
    }
}

async fn one_kind(
    State(app): State<App>,
    Path(name): Path<String>,
    viewer: Viewer,
) -> Result<Html<String>, Failed> {
    let program = app.desk.program();
    let kind = program.kind(&name).ok_or_else(Failed::nothing)?;
    let frame = Frame::of(&app, &viewer, &kind.plural, &format!("/program/kinds/{name}")).await;
    Ok(Html(KindPage::new(frame, &program, kind).render()?))
}

#[derive(Template)]
#[template(path = "program_file.html")]
struct FilePage {
    frame: Frame,
    folders: Vec<Folder>,
    path: String,
    kind: Option<String>,
    lines: Vec<String>,
}

/// A file of the program. Only what the program was made of can be asked for: nothing is read from a
/// disk.
async fn file(State(app): State<App>, Path(path): Path<String>, viewer: Viewer) -> Result<Html<String>, Failed> {
    let program = app.desk.program();
    let text = program.files.get(&path).ok_or_else(Failed::nothing)?;
    let here = format!("/program/files/{}", url_encode(&path));
    let frame = Frame::of(&app, &viewer, &path, &here).await;
    Ok(Html(file_page(frame, &program, &path, text).render()?))
}

fn file_page(frame: Frame, program: &Program, path: &str, text: &str) -> FilePage {
    FilePage {
        frame,
        folders: folders(program, path),
        kind: kind_in(program, path).map(str::to_owned),
        path: path.to_owned(),
        lines: text.lines().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests;
