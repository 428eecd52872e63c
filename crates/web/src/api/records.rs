//! Records: lists, one by one, opened by hand, changed.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use wardroom_desk::index::Sort;
use wardroom_desk::{Change, Command, Fields, RecordId};
use wardroom_service::Error;

use super::caller::ApiCaller;
use super::input::{Id, Json, Query, limit};
use super::problem::{MALFORMED, Problem, STALE, Told};
use super::shapes::{self, Done, Event, Events, Evidence, New, Page, Record, moment};
use super::show::{self, Sight, no_record, refers};
use super::{IdempotencyKey, search};
use crate::App;

/// What a list takes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The search, in the language of the pages; everything where there is none.
    #[serde(default)]
    #[param(example = "is:open severity:>=medium")]
    q: String,
    /// priority, due, severity, age, updated, opened or id; `-` before it turns it round.
    #[serde(default)]
    #[param(example = "-updated")]
    sort: Option<String>,
    /// From `next` or `previous` of another page.
    page: Option<String>,
    /// Records of a page, 50 where nothing is said.
    #[param(example = 20, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List records
///
/// A page of what a search finds. Pages go on from where the last ended, whatever has changed since.
#[utoipa::path(
    get, path = "/records", tag = "Records", operation_id = "listRecords", params(List),
    responses(
        (status = 200, description = "A page.", body = Page,
            headers(("Link" = String, description = "`rel=\"next\"` and `rel=\"prev\"`, where there are such."))),
        (status = 400, description = "A parameter is unknown, or the page is none of this list.", body = Told, content_type = "application/problem+json"),
        (status = 422, description = "The search or the order cannot be read.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<List>,
) -> Result<Response, Problem> {
    let limit = limit(asked.limit, 50, 500)?;
    let (query, warnings) = search::read(&app, "q", &asked.q)?;
    let sort = match asked.sort.as_deref().filter(|s| !s.is_empty()) {
        Some(sort) => {
            sort.parse().map_err(|e: wardroom_desk::index::NoSort| Problem::invalid("sort", e.to_string()))?
        }
        None => query.sort().unwrap_or_default(),
    };
    if asked.page.as_deref().is_some_and(|page| !is_page(page, sort)) {
        let text = "`page` is none of this list: take it from `next` or `previous`, with the same `sort`.";
        return Err(Problem::new(MALFORMED, text));
    }
    let page = {
        let shared = app.desk.read();
        let matches = shared.index.find(&query, &caller.eyes(), app.desk.now());
        shared.index.page(&matches, sort, asked.page.as_deref(), limit as usize)
    };
    let records = app.desk.store().records(&page.numbers).await?;
    // What became confidential since the page was made is not on it.
    let may = |r: &&wardroom_desk::Record| !r.confidential || caller.caller.role.confidential;
    let address = |cursor: &Option<String>| {
        let cursor = cursor.as_deref()?;
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if !asked.q.is_empty() {
            pairs.append_pair("q", &asked.q);
        }
        pairs.append_pair("sort", &sort.to_string());
        pairs.append_pair("limit", &limit.to_string()).append_pair("page", cursor);
        Some(format!("/api/v1/records?{}", pairs.finish()))
    };
    let (next, previous) = (address(&page.next), address(&page.previous));
    let links: Vec<String> = [(&next, "next"), (&previous, "prev")]
        .into_iter()
        .filter_map(|(address, rel)| Some(format!("<{}>; rel=\"{rel}\"", address.as_ref()?)))
        .collect();
    let mut headers = HeaderMap::new();
    if !links.is_empty() {
        let links = HeaderValue::try_from(links.join(", ")).map_err(|e| Problem::broken(&e))?;
        headers.insert(header::LINK, links);
    }
    let rows = records.iter().filter(may).map(show::row).collect();
    let body = Page { records: rows, total: page.total, before: page.before, next, previous, warnings };
    Ok((headers, Answer(body)).into_response())
}

/// Whether a text is a page of a list in this order: side, order and three numbers in hex.
fn is_page(text: &str, sort: Sort) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [side, order, numbers @ ..] = parts.as_slice() else { return false };
    let number = |n: &&str| n.len() <= 16 && u64::from_str_radix(n, 16).is_ok() && !n.starts_with('+');
    matches!(*side, "a" | "b")
        && *order == sort.to_string()
        && numbers.len() == 3
        && numbers.iter().all(number)
}

/// The version as an entity tag.
fn tag(version: u32) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(format!("\"{version}\"")).map_err(|e| Problem::broken(&e))
}

/// A record that the caller may see; that they have read a confidential one is written down.
async fn seen(app: &App, caller: &ApiCaller, id: &RecordId) -> Result<wardroom_desk::Record, Problem> {
    let record = app.desk.record(&caller.caller, id).await?;
    if record.confidential {
        app.desk.note(&caller.caller, id.no, Change::Read).await?;
        return Ok(app.desk.record(&caller.caller, id).await?);
    }
    Ok(record)
}

/// Read a record
#[utoipa::path(
    get, path = "/records/{id}", tag = "Records", operation_id = "getRecord",
    params(("id" = String, Path, description = "Its name.", example = "F-3")),
    responses(
        (status = 200, description = "The record.", body = Record,
            headers(("ETag" = String, description = "Its version, for `If-Match`."))),
        (status = 404, description = "There is none, or you may not know of it.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn get(State(app): State<App>, caller: ApiCaller, Id(id): Id) -> Result<Response, Problem> {
    let record = seen(&app, &caller, &id).await?;
    let shown = show::record(&app, &caller, &Sight::of(&app, &caller), &record);
    Ok(([(header::ETAG, tag(record.version)?)], Answer(shown)).into_response())
}

/// What a timeline takes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Events behind this place in the log.
    #[serde(default)]
    #[param(example = 0)]
    after: u64,
    /// Events at once, 100 where nothing is said.
    #[param(example = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Read what happened to a record
#[utoipa::path(
    get, path = "/records/{id}/events", tag = "Records", operation_id = "listEvents",
    params(("id" = String, Path, description = "Its name.", example = "F-3"), After),
    responses(
        (status = 200, description = "Events, oldest first.", body = Events),
        (status = 404, description = "There is no such record, or you may not know of it.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn events(
    State(app): State<App>,
    caller: ApiCaller,
    Id(id): Id,
    Query(asked): Query<After>,
) -> Result<Answer<Events>, Problem> {
    let limit = limit(asked.limit, 100, 500)?;
    seen(&app, &caller, &id).await?;
    // No log is that long; a place behind its end finds nothing.
    let after = asked.after.min(i64::MAX.unsigned_abs());
    let events = app.desk.timeline(&caller.caller, &id, after, limit).await?;
    let next = events
        .last()
        .filter(|_| events.len() == limit as usize)
        .map(|last| format!("/api/v1/records/{id}/events?after={}&limit={limit}", last.seq));
    let sight = Sight::of(&app, &caller);
    let events: Vec<Event> = events.iter().filter_map(|e| show::event(&sight, e)).collect();
    Ok(Answer(Events { events, next }))
}

/// Read what an engine found last
#[utoipa::path(
    get, path = "/records/{id}/evidence", tag = "Records", operation_id = "getEvidence",
    params(("id" = String, Path, description = "Its name.", example = "F-3")),
    responses(
        (status = 200, description = "The finding with its path and the code around it.", body = Evidence),
        (status = 404, description = "There is none.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn evidence(
    State(app): State<App>,
    caller: ApiCaller,
    Id(id): Id,
) -> Result<Answer<Evidence>, Problem> {
    let record = seen(&app, &caller, &id).await?;
    let event = match record.evidence {
        Some(seq) => app.desk.store().event(seq).await?,
        None => None,
    };
    let found = event.and_then(|e| match e.change {
        Change::Observed { evidence: Some(evidence), .. } => {
            Some(Evidence { seq: e.seq, at: moment(e.at), evidence })
        }
        _ => None,
    });
    found.map(Answer).ok_or_else(Problem::nothing)
}

/// Open a record by hand
#[utoipa::path(
    post, path = "/records", tag = "Records", operation_id = "openRecord", params(IdempotencyKey),
    request_body(content = New, examples(
        ("by hand" = (summary = "A finding that a person made", value = json!({
            "kind": "finding", "fields": {"title": "Passwords are mailed in clear text", "severity": "high"}}))),
    )),
    responses(
        (status = 201, description = "It was opened.", body = Done,
            headers(("Location" = String, description = "Its address."), ("ETag" = String, description = "Its version."))),
        (status = 403, description = "The role does not open records of this kind.", body = Told, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown, is not yours to set, or has a wrong value.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn open(
    State(app): State<App>,
    caller: ApiCaller,
    Json(new): Json<New>,
) -> Result<Response, Problem> {
    let sight = Sight::of(&app, &caller);
    refers(&app.desk.program(), &sight, &new.kind, &new.fields)?;
    let kind: String = new.kind.chars().take(100).collect();
    let done = app.desk.open_record(&caller.caller, &kind, new.fields, Vec::new()).await?;
    let address = format!("/api/v1/records/{}", done.record.id);
    let address = HeaderValue::try_from(address).map_err(|e| Problem::broken(&e))?;
    let headers = [(header::LOCATION, address), (header::ETAG, tag(done.record.version)?)];
    let shown = Done { record: show::record(&app, &caller, &sight, &done.record), batch: done.batch };
    Ok((StatusCode::CREATED, headers, Answer(shown)).into_response())
}

/// The version that the caller saw: `If-Match: "3"`; none where they do not care.
fn if_match(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let mut all = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let wrong = || Problem::new(MALFORMED, "`If-Match` is the `ETag` of the record: `\"3\"`.");
    let text = value.to_str().map_err(|_| wrong())?.trim();
    if all.next().is_some() {
        return Err(wrong());
    }
    if text == "*" {
        return Ok(None);
    }
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).ok_or_else(wrong)?;
    inner.parse().map(Some).map_err(|_| wrong())
}

/// The version to hold on to: that others have only read the record since is no change.
async fn held(app: &App, caller: &ApiCaller, id: &RecordId, seen: u32) -> Result<u32, Problem> {
    let record = app.desk.record(&caller.caller, id).await?;
    if !record.confidential || record.version <= seen {
        return Ok(seen);
    }
    let mut after = 0;
    loop {
        let events = app.desk.timeline(&caller.caller, id, after, 1_000).await?;
        let Some(last) = events.last() else { return Ok(record.version) };
        after = last.seq;
        if events.iter().any(|e| e.version > seen && !matches!(e.change, Change::Read)) {
            return Ok(seen);
        }
    }
}

/// Longest reason, in characters.
const REASON: usize = 4_000;

/// A command as the desk takes it, with what the caller may not name refused.
pub fn command(sight: &Sight, asked: shapes::Command) -> Result<Command, Problem> {
    let reason = |text: &str| {
        let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if text.chars().count() > REASON || !text.chars().all(plain) {
            let text = format!("at most {REASON} characters fit, without control characters");
            return Err(Problem::invalid("because", text));
        }
        Ok(())
    };
    let other = |to: &str| match to.parse::<RecordId>() {
        Ok(id) if sight.may(id.no) => Ok(id),
        Ok(_) => Err(no_record("to", to)),
        Err(error) => Err(Problem::invalid("to", error.to_string())),
    };
    Ok(match asked {
        shapes::Command::Set { fields, because } => {
            reason(&because)?;
            Command::Set { fields, because }
        }
        shapes::Command::Move { transition, fields, because } => {
            reason(&because)?;
            let transition = transition.chars().take(100).collect();
            Command::Move { transition, fields, because }
        }
        shapes::Command::Comment { text } => Command::Comment { text },
        shapes::Command::Label { add, remove } => Command::Label { add, remove },
        shapes::Command::Link { relation, to } => Command::Link { relation, to: other(&to)? },
        shapes::Command::Unlink { relation, to } => Command::Unlink { relation, to: other(&to)? },
    })
}

/// The fields that a command gives values.
pub fn given(command: &Command) -> Option<&Fields> {
    match command {
        Command::Set { fields, .. } | Command::Move { fields, .. } => Some(fields),
        _ => None,
    }
}

/// Change a record
///
/// With `If-Match` only where the record is still at that version.
#[utoipa::path(
    post, path = "/records/{id}/commands", tag = "Records", operation_id = "commandRecord",
    params(
        ("id" = String, Path, description = "Its name.", example = "F-3"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that you saw."),
        IdempotencyKey,
    ),
    request_body(content = shapes::Command, examples(
        ("set" = (summary = "Give a field another value", value = json!({"do": "set", "fields": {"severity": "critical"}, "because": "It is reachable without signing in."}))),
        ("move" = (summary = "Take a transition", value = json!({"do": "move", "transition": "dismiss", "fields": {"dismissal": "not_exploitable"}, "because": "The host is fixed by the proxy."}))),
        ("comment" = (summary = "Write something", value = json!({"do": "comment", "text": "Seen in `staging` too."}))),
        ("label" = (summary = "Put a label on", value = json!({"do": "label", "add": ["sprint-12"]}))),
        ("link" = (summary = "Tie it to another record", value = json!({"do": "link", "relation": "related", "to": "F-4"}))),
        ("unlink" = (summary = "Cut a tie", value = json!({"do": "unlink", "relation": "related", "to": "F-4"}))),
    )),
    responses(
        (status = 200, description = "The record after it.", body = Done,
            headers(("ETag" = String, description = "Its version now."))),
        (status = 403, description = "The role does not allow it.", body = Told, content_type = "application/problem+json"),
        (status = 404, description = "There is no such record, or you may not know of it.", body = Told, content_type = "application/problem+json"),
        (status = 409, description = "The state of the record does not allow it.", body = Told, content_type = "application/problem+json"),
        (status = 412, description = "It is no longer at the version in `If-Match`.", body = Told, content_type = "application/problem+json"),
        (status = 422, description = "A value is wrong.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn act(
    State(app): State<App>,
    caller: ApiCaller,
    Id(id): Id,
    headers: HeaderMap,
    Json(asked): Json<shapes::Command>,
) -> Result<Response, Problem> {
    let sight = Sight::of(&app, &caller);
    let record = app.desk.record(&caller.caller, &id).await?;
    let command = command(&sight, asked)?;
    if let Some(fields) = given(&command) {
        refers(&app.desk.program(), &sight, &record.kind, fields)?;
    }
    let wanted = if_match(&headers)?;
    let seen = match wanted {
        Some(seen) => Some(held(&app, &caller, &id, seen).await?),
        None => None,
    };
    let done = app.desk.act(&caller.caller, &id, seen, command).await.map_err(|error| match error {
        Error::Refused(wardroom_desk::Refused::Stale { record, now, .. }) => {
            let seen = wanted.unwrap_or_default();
            let text = format!("{record} is at version {now}; you saw version {seen}. Read it again.");
            let problem = Problem::new(STALE, text).with("version", now).with("seen", seen);
            problem.status(StatusCode::PRECONDITION_FAILED)
        }
        other => other.into(),
    })?;
    let headers: [(HeaderName, HeaderValue); 1] = [(header::ETAG, tag(done.record.version)?)];
    let shown = Done { record: show::record(&app, &caller, &sight, &done.record), batch: done.batch };
    Ok((headers, Answer(shown)).into_response())
}
