//! The page of one record: what it is, what may be done, what has happened.

mod code;
pub mod cvss;
mod new;
mod timeline;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::Value;
use wardroom_desk::{Change, Record, Running, barred};
use wardroom_model::FilterRole;
use wardroom_program::{Field, FieldType, Kind, Transition};

use crate::App;
use crate::api::show::Sight;
use crate::error::{Failed, url_encode};
use crate::markdown::{self, Safe};
use crate::pages::act::id_of;
use crate::session::Viewer;
use crate::view::{Face, Frame, ago, datetime, length, moment, title};

use code::{DiffLine, Pane, Step};
use timeline::{Entry, Words, bytes, shown};

/// Events shown at first; with `?all`, every one.
const RECENT: u32 = 200;

pub fn router() -> Router<App> {
    Router::new().route("/records/{id}", get(page)).merge(new::router())
}

/// A field of a form.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub name: String,
    pub label: String,
    pub help: String,
    pub value: String,
    pub required: bool,
    /// `text`, `markdown`, `choice`, `date`, `number`, `flag`.
    pub shape: &'static str,
    pub choices: Vec<(String, String)>,
}

impl Input {
    /// How a field is filled in.
    pub fn of(app: &App, field: &Field, value: Option<&Value>, required: bool) -> Input {
        let plain = |words: &[&str]| words.iter().map(|w| ((*w).to_owned(), title(w))).collect::<Vec<_>>();
        let (shape, choices) = match &field.kind {
            FieldType::Markdown => ("markdown", Vec::new()),
            FieldType::Choice(list) => ("choice", list.iter().map(|c| (c.clone(), title(c))).collect()),
            FieldType::Severity => ("choice", plain(&["critical", "high", "medium", "low", "info"])),
            FieldType::Confidence => ("choice", plain(&["high", "medium", "low"])),
            FieldType::Flag => ("flag", Vec::new()),
            FieldType::Number => ("number", Vec::new()),
            FieldType::Date => ("date", Vec::new()),
            FieldType::Person => {
                let shared = app.desk.read();
                let people = shared.people.all().filter(|p| p.active);
                ("choice", people.map(|p| (p.login.clone(), format!("{} ({})", p.name, p.login))).collect())
            }
            FieldType::Team => {
                let shared = app.desk.read();
                ("choice", shared.people.teams().into_iter().map(|t| (t.to_owned(), t.to_owned())).collect())
            }
            _ => ("text", Vec::new()),
        };
        let value = match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        Input {
            name: field.name.clone(),
            label: field.title.clone(),
            help: field.help.clone(),
            value,
            required,
            shape,
            choices,
        }
    }
}

/// A transition that the viewer may take.
#[derive(Clone, Debug, Default)]
struct Action {
    name: String,
    title: String,
    help: String,
    inputs: Vec<Input>,
    needs_reason: bool,
    danger: bool,
}

/// A clock in words.
#[derive(Clone, Debug, Default)]
struct ClockRow {
    title: String,
    /// `late 5 d`, `4 d left`, `met in 2 h`.
    says: String,
    class: &'static str,
    datetime: String,
    moment: String,
    /// Of 100.
    used: i64,
    bar: &'static str,
    running: bool,
}

/// A way in.
#[derive(Clone, Debug, Default)]
struct Way {
    verb: String,
    path: String,
    handler: String,
    guards: Vec<(String, &'static str)>,
    open: bool,
    parameters: String,
}

/// A field shown among the facts.
#[derive(Clone, Debug, Default)]
struct Fact {
    input: Input,
    shown: String,
    href: Option<String>,
    face: Option<Face>,
    editable: bool,
}

#[derive(Clone, Debug, Default)]
struct BranchRow {
    name: String,
    says: String,
    gone: bool,
}

#[derive(Clone, Debug, Default)]
struct LinkRow {
    label: String,
    relation: String,
    id: String,
    title: String,
    state: String,
    removable: bool,
    question: bool,
}

#[derive(Clone, Debug, Default)]
struct FileRow {
    name: String,
    digest: String,
    size: String,
}

/// How right a rule has been here.
#[derive(Clone, Debug, Default)]
pub struct Precision {
    pub right: u64,
    pub judged: u64,
    pub percent: u64,
    pub mostly_dismissed: bool,
}

#[derive(Template)]
#[template(path = "record.html")]
struct RecordPage {
    frame: Frame,
    id: String,
    plural: String,
    list: String,
    heading: String,
    state: String,
    state_class: &'static str,
    state_help: String,
    severity: String,
    place: String,
    rule: String,
    due: Option<ClockRow>,
    version: u32,
    confidential: bool,
    actions: Vec<Action>,
    steps: Vec<Step>,
    panes: Vec<Pane>,
    ways: Vec<Way>,
    told: Told,
    message: String,
    reason: String,
    remedy: String,
    summary: String,
    diff: Vec<DiffLine>,
    fix_title: String,
    proved: Option<String>,
    texts: Vec<(String, Safe)>,
    calculators: Vec<cvss::Calculator>,
    score: String,
    has_cvss: bool,
    clocks: Vec<ClockRow>,
    priority: String,
    priority_because: String,
    facts: Vec<Fact>,
    labels: Vec<(String, String)>,
    label_list: String,
    known_labels: Vec<(String, String)>,
    branches: Vec<BranchRow>,
    links: Vec<LinkRow>,
    relations: Vec<(String, String)>,
    files: Vec<FileRow>,
    precision: Option<Precision>,
    entries: Vec<Entry>,
    more: bool,
    may_edit: bool,
    may_comment: bool,
    is_finding: bool,
    letters: Vec<(String, Safe)>,
}

async fn page(
    State(app): State<App>,
    Path(id): Path<String>,
    viewer: Viewer,
    uri: axum::http::Uri,
) -> Result<Response, Failed> {
    let id = id_of(&id)?;
    let record = app.desk.record(&viewer.caller, &id).await?;
    if uri.path() != format!("/records/{id}") {
        return Ok(Redirect::permanent(&format!("/records/{id}")).into_response());
    }
    if record.confidential {
        app.desk.note(&viewer.caller, id.no, Change::Read).await?;
    }
    let all = uri.query().is_some_and(|q| q.split('&').any(|p| p == "all"));
    let html = build(&app, &viewer, record, all).await?.render()?;
    Ok(Html(html).into_response())
}

async fn build(app: &App, viewer: &Viewer, record: Record, all: bool) -> Result<RecordPage, Failed> {
    let sight = Sight::with(app, &viewer.eyes());
    let record = sight.record(record);
    let now = app.desk.now();
    let program = app.desk.program();
    let kind = program.kind(&record.kind).ok_or_else(Failed::nothing)?;
    let id = record.id.to_string();
    let limit = if all { 5_000 } else { RECENT };
    let evidence = async {
        let Some(seq) = record.evidence else { return Ok(None) };
        app.desk.store().event(seq).await
    };
    let timeline = app.desk.store().timeline(record.id.no, 0, limit);
    let heading = format!("{id} {}", record.title());
    let here = format!("/records/{id}");
    // None of these waits for another.
    let (evidence, events, links, frame) = tokio::join!(
        evidence,
        timeline,
        links(app, viewer, &record),
        Frame::of(app, viewer, &heading, &here)
    );
    let (events, links) = (events?, links?);
    let evidence = match evidence?.map(|e| e.change) {
        Some(Change::Observed { evidence: Some(evidence), .. }) => evidence,
        _ => Value::Null,
    };
    let more = !all && u64::from(record.version) > events.len() as u64;
    let events = sight.events(events);
    let entries = {
        let shared = app.desk.read();
        Words { program: &program, people: &shared.people, kind: Some(kind), now }.entries(&events)
    };
    let files = events
        .iter()
        .filter_map(|e| match &e.change {
            Change::Attached { name, size, digest, .. } => {
                Some(FileRow { name: name.clone(), digest: digest.clone(), size: bytes(*size) })
            }
            _ => None,
        })
        .collect();
    let (steps, panes) = code::walk(&evidence);
    let text = |name: &str| evidence.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = kind.state(&record.state);
    let is_person = |login: &str| app.desk.read().people.get(login).is_some();
    let texts: Vec<(String, Safe)> = kind
        .fields
        .iter()
        .filter(|f| f.kind == FieldType::Markdown && f.name != "message" && !record.text(&f.name).is_empty())
        .map(|f| (f.title.clone(), markdown::render(record.text(&f.name), &is_person)))
        .collect();
    let clocks: Vec<ClockRow> = clocks(kind, &record, now);
    let due = record.due().and_then(|(name, _)| {
        let at =
            kind.clocks.iter().filter(|c| record.clocks.contains_key(&c.name)).position(|c| c.name == name);
        at.and_then(|at| clocks.get(at).cloned())
    });
    let rule = record.text("rule").to_owned();
    let known_rule = app.rule(&rule);
    let proved = proof(kind, &record, &events);
    let letters = kind
        .letters
        .iter()
        .map(|l| (l.title.clone(), markdown::render(&filled(&l.body, &record), &is_person)))
        .collect();
    let file = record.text("file");
    let line = record.fields.get("line").and_then(Value::as_u64);
    let place = match line {
        Some(line) if !file.is_empty() => format!("{file}:{line}"),
        _ => file.to_owned(),
    };
    Ok(RecordPage {
        frame,
        plural: kind.plural.clone(),
        list: format!("/queue?q={}", url_encode(&format!("kind:{} is:open", kind.name))),
        heading: record.title().to_owned(),
        state: state.map_or(record.state.clone(), |s| s.title.clone()),
        state_class: state_class(&record.state, record.open),
        state_help: state.map_or(String::new(), |s| s.help.clone()),
        severity: record.text("severity").to_owned(),
        place,
        due,
        version: record.version,
        confidential: record.confidential,
        actions: actions(app, viewer, kind, &record),
        ways: ways(&evidence),
        message: text("message"),
        reason: text("reason"),
        remedy: text("remedy"),
        summary: known_rule.map_or(String::new(), wardroom_model::Rule::summary),
        diff: code::diff(&text("diff")),
        fix_title: evidence.pointer("/fix/title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        proved,
        told: told(&evidence),
        texts,
        has_cvss: kind.field("cvss").is_some(),
        calculators: cvss::calculators(record.text("cvss")),
        score: record
            .fields
            .get("score")
            .and_then(Value::as_f64)
            .map_or(String::new(), |s| format!("{s:.1}")),
        clocks,
        priority: record.fields.get("priority").map_or(String::new(), shown),
        priority_because: record.text("priority_because").to_owned(),
        facts: facts(app, viewer, kind, &record),
        labels: record
            .labels
            .iter()
            .map(|l| (l.clone(), format!("/queue?q={}", url_encode(&format!("label:\"{l}\"")))))
            .collect(),
        label_list: record.labels.iter().cloned().collect::<Vec<_>>().join(", "),
        known_labels: kind.labels.iter().map(|l| (l.name.clone(), l.help.clone())).collect(),
        branches: branches(&record, now),
        links,
        relations: kind.links.iter().map(|l| (l.name.clone(), l.title.clone())).collect(),
        files,
        precision: (!rule.is_empty()).then(|| super::rules::precision_of(app, viewer, &rule)).flatten(),
        rule,
        entries,
        more,
        may_edit: viewer.caller.role.edit,
        may_comment: viewer.caller.role.comment,
        is_finding: !evidence.is_null(),
        letters,
        steps,
        panes,
        id,
    })
}

/// The look of a state, by what its name says.
pub fn state_class(state: &str, open: bool) -> &'static str {
    match state {
        "new" | "requested" | "proposed" => "new",
        "confirmed" | "exception_asked" => "triage",
        "unseen" => "needs-info",
        "in_progress" => "work",
        "resolved" | "done" | "approved" => "done",
        _ if open => "work",
        _ => "dropped",
    }
}

fn actions(app: &App, viewer: &Viewer, kind: &Kind, record: &Record) -> Vec<Action> {
    let now = app.desk.now();
    let program = app.desk.program();
    let mut facts = wardroom_desk::facts(record, now, &program);
    facts.insert("caller".to_owned(), serde_json::json!(viewer.caller.login));
    let possible = |t: &&Transition| {
        barred(t, &viewer.caller).is_none()
            // What the form itself can make true is asked again when it is sent.
            && (t.needs.iter().any(|n| record.text(n).is_empty()) || t.when.as_ref().is_none_or(|c| c.holds(&facts)))
    };
    let mut actions: Vec<Action> = kind
        .ways_out(&record.state)
        .filter(possible)
        .map(|t| {
            let mut names = t.needs.clone();
            // What an effect hands on may be said with the move.
            for effect in &t.then {
                let (wardroom_program::Effect::Open { fields, .. }
                | wardroom_program::Effect::Move { fields, .. }) = effect;
                names.extend(fields.iter().map(|(_, from)| from.clone()));
            }
            let mut inputs: Vec<Input> = Vec::new();
            for name in names {
                let Some(field) = kind.field(&name) else { continue };
                if field.engine || name == "title" || inputs.iter().any(|i| i.name == name) {
                    continue;
                }
                inputs.push(Input::of(app, field, record.fields.get(&name), t.needs.contains(&name)));
            }
            let closes = kind.state(&t.to).is_some_and(|s| !s.open);
            Action {
                name: t.name.clone(),
                title: t.title.clone(),
                help: t.help.clone(),
                inputs,
                needs_reason: t.needs_reason,
                danger: closes && !matches!(t.to.as_str(), "resolved" | "done" | "approved"),
            }
        })
        .collect();
    actions.sort_by_key(|a| a.danger);
    actions
}

fn clocks(kind: &Kind, record: &Record, now: i64) -> Vec<ClockRow> {
    kind.clocks
        .iter()
        .filter_map(|rule| {
            let clock = record.clocks.get(&rule.name)?;
            let whole = (clock.due - clock.started).max(1);
            let until = match clock.running {
                Running::Running => now,
                Running::Paused { since } => since,
                Running::Stopped { at } => at,
            };
            let used = ((until - clock.started) * 100 / whole).clamp(0, 100);
            let left = clock.due - until;
            let (says, class) = match clock.running {
                Running::Running if left < 0 => (format!("late {}", length(-left)), "clock-late"),
                Running::Running if used > 75 => (format!("{} left", length(left)), "clock-soon"),
                Running::Running => (format!("{} left", length(left)), ""),
                Running::Paused { .. } => ("stands still".to_owned(), "clock-stopped"),
                Running::Stopped { .. } if left < 0 => {
                    (format!("missed by {}", length(-left)), "clock-stopped")
                }
                Running::Stopped { at } => {
                    (format!("met in {}", length(at - clock.started)), "clock-stopped")
                }
            };
            let bar = match class {
                "clock-late" => "bar-bad",
                "clock-soon" => "bar-warn",
                _ => "bar-good",
            };
            Some(ClockRow {
                title: rule.title.clone(),
                says,
                class,
                datetime: datetime(clock.due),
                moment: moment(clock.due),
                used,
                bar,
                running: clock.running == Running::Running,
            })
        })
        .collect()
}

/// What another tool says of it, where a report brought it in.
#[derive(Clone, Debug, Default)]
struct Told {
    description: Option<Safe>,
    remedy: Option<Safe>,
    exchanges: Vec<Exchange>,
    references: Vec<String>,
}

/// A place in a running application, and what was sent and came back.
#[derive(Clone, Debug, Default)]
struct Exchange {
    verb: String,
    url: String,
    /// The parameter, what was sent in it, and what shows the weakness: name and text.
    facts: Vec<(&'static str, String)>,
    /// What was sent and what came back, whole: name and text.
    texts: Vec<(&'static str, String)>,
}

/// Most exchanges on a page: a weak header is on every page that a tool asks for.
const EXCHANGES: usize = 10;

fn told(evidence: &Value) -> Told {
    let Some(reported) = evidence.get("reported") else { return Told::default() };
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| reported.get(name).and_then(Value::as_array).into_iter().flatten();
    let exchanges = list("addresses").take(EXCHANGES).map(|address| {
        let told = |names: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            let texts = names.iter().map(|(name, field)| (*name, text(address, field)));
            texts.filter(|(_, text)| !text.is_empty()).collect()
        };
        Exchange {
            verb: text(address, "method"),
            url: text(address, "url"),
            facts: told(&[("Parameter", "parameter"), ("Sent", "attack"), ("Shown by", "evidence")]),
            texts: told(&[("Request", "request"), ("Response", "response")]),
        }
    });
    let prose = |name: &str| {
        Some(text(reported, name)).filter(|t| !t.is_empty()).map(|t| markdown::render(&t, &|_| false))
    };
    let web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    Told {
        description: prose("description"),
        remedy: prose("remedy"),
        exchanges: exchanges.collect(),
        references: list("references")
            .filter_map(Value::as_str)
            .filter(web)
            .take(20)
            .map(str::to_owned)
            .collect(),
    }
}

fn ways(evidence: &Value) -> Vec<Way> {
    let list = evidence.get("endpoints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|e| {
            let text = |name: &str| e.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut guards: Vec<(String, &'static str)> = e
                .get("filters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|f| {
                    let name = f.get("name")?.as_str()?.to_owned();
                    let role: FilterRole = serde_json::from_value(f.get("role")?.clone()).ok()?;
                    let sometimes = f.get("conditional").and_then(Value::as_bool).unwrap_or(false);
                    let word = match role {
                        FilterRole::Authentication => "sign-in",
                        FilterRole::Authorization => "rights",
                        FilterRole::Csrf => "forgery",
                        FilterRole::Other => return None,
                    };
                    Some((if sometimes { format!("{name}, sometimes") } else { name }, word))
                })
                .collect();
            guards.truncate(8);
            let parameters: Vec<&str> = e
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .take(12)
                .collect();
            Way {
                verb: text("method"),
                path: text("path"),
                handler: text("handler"),
                // Other tools do not say who may ask.
                open: e.get("authenticated").and_then(Value::as_bool) == Some(false),
                guards,
                parameters: parameters.join(", "),
            }
        })
        .collect()
}

fn facts(app: &App, viewer: &Viewer, kind: &Kind, record: &Record) -> Vec<Fact> {
    kind.fields
        .iter()
        .filter(|f| f.kind != FieldType::Markdown || (!f.engine && viewer.caller.role.edit))
        .filter(|f| !timeline::is_plumbing(&f.name, &record.fields) || (f.name == "severity" && !f.engine))
        .filter_map(|field| {
            let value = record.fields.get(&field.name);
            let editable = viewer.caller.role.edit && !field.engine;
            if value.is_none() && !editable {
                return None;
            }
            let text = value.map(shown).unwrap_or_default();
            let is_choice =
                matches!(field.kind, FieldType::Choice(_) | FieldType::Severity | FieldType::Confidence);
            let href = match (&field.kind, value.and_then(Value::as_str)) {
                (FieldType::Record(_), Some(id)) => Some(format!("/records/{id}")),
                (FieldType::Url, Some(url)) => Some(url.to_owned()),
                (_, Some(value)) if field.search => Some(format!(
                    "/queue?q={}",
                    url_encode(&format!("kind:{} {}:\"{value}\"", kind.name, field.name))
                )),
                _ => None,
            };
            let face = (field.kind == FieldType::Person && !text.is_empty()).then(|| {
                let shared = app.desk.read();
                Face::of(&text, shared.people.get(&text))
            });
            Some(Fact {
                input: Input::of(app, field, value, field.required),
                shown: if is_choice { title(&text) } else { text },
                href,
                face,
                editable,
            })
        })
        .collect()
}

fn branches(record: &Record, now: i64) -> Vec<BranchRow> {
    let mut rows: Vec<BranchRow> = record
        .seen
        .iter()
        .map(|(name, seen)| {
            let verb = if seen.present { "seen" } else { "gone" };
            BranchRow {
                name: name.clone(),
                says: format!("{verb} {}", ago(seen.at, now)),
                gone: !seen.present,
            }
        })
        .collect();
    rows.truncate(20);
    rows
}

async fn links(app: &App, viewer: &Viewer, record: &Record) -> Result<Vec<LinkRow>, Failed> {
    let nos: Vec<u32> = record.links.iter().map(|l| l.to.no).take(100).collect();
    let others = app.desk.store().records(&nos).await?;
    let shared = app.desk.read();
    let rows = record.links.iter().filter_map(|link| {
        let other = others.iter().find(|o| o.id.no == link.to.no)?;
        if other.confidential && !viewer.caller.role.confidential {
            return None;
        }
        let declared = shared.program.kinds.values().flat_map(|k| &k.links).find(|l| l.name == link.relation);
        let label = declared.map_or_else(
            || title(&link.relation),
            |l| if link.back { l.back.clone() } else { l.title.clone() },
        );
        let state = shared.program.kind(&other.kind).and_then(|k| k.state(&other.state));
        Some(LinkRow {
            label,
            relation: link.relation.clone(),
            id: link.to.to_string(),
            title: other.title().to_owned(),
            state: state.map_or(other.state.clone(), |s| s.title.clone()),
            removable: !link.back && viewer.caller.role.edit,
            question: link.relation == "same_as" && !link.back && viewer.caller.role.edit,
        })
    });
    Ok(rows.collect())
}

/// What proved that it is fixed, in one sentence; none while it is open.
fn proof(kind: &Kind, record: &Record, events: &[wardroom_desk::Event]) -> Option<String> {
    if record.open || record.state != "resolved" {
        return None;
    }
    let fixed_in = record.text("fixed_in");
    let moved = events.iter().rev().find_map(|e| match &e.change {
        Change::Moved { to, because, .. } if *to == record.state => Some((because.clone(), e.seq, e.at)),
        _ => None,
    })?;
    let (because, seq, at) = moved;
    let state = kind.state(&record.state).map_or("Resolved", |s| s.title.as_str());
    let of = if fixed_in.is_empty() { String::new() } else { format!(" in {fixed_in}") };
    let why = if because.is_empty() { String::new() } else { format!(": {because}") };
    Some(format!("{state}{of} on {}{why}. Event {seq} of the log says so.", moment(at)))
}

/// A letter with the record's fields in it.
fn filled(body: &str, record: &Record) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            break;
        };
        match name.trim() {
            "id" => out.push_str(&record.id.to_string()),
            name => out.push_str(&record.fields.get(name).map(shown).unwrap_or_default()),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}
