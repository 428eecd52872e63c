//! Every kind of the built-in program at work: records are made, taken through every state and every
//! transition to a close, and every move that is not allowed is tried. What is sent follows from the
//! program alone: from the types of fields, and from the examples that the kinds carry. What came of it is
//! `docs/kinds.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use support::{Client, Page, Site};
use wardroom_desk::{Actor, Caller, Command, Fields, Record, RecordId};
use wardroom_program::{Example, Field, FieldType, Kind, Program, Transition};
use wardroom_web::make_token;

const ENGINE: &str = "engine";
/// The people whom examples name, and who are not the ones that take transitions.
const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

/// How a transition is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Api,
    Page,
}

#[derive(Default)]
struct Tally {
    states: BTreeSet<String>,
    api: usize,
    page: usize,
    policy: usize,
    closed: bool,
    /// By what was said of it.
    refused: BTreeMap<&'static str, usize>,
}

struct World<'a> {
    site: &'a Site,
    program: Arc<Program>,
    tokens: BTreeMap<String, String>,
    people: BTreeMap<String, Client<'a>>,
    others: BTreeMap<String, RecordId>,
    made: u32,
}

impl World<'_> {
    fn today(&self) -> Date {
        self.program.calendar.date(self.site.now())
    }

    /// A record of a kind, for fields that name one.
    async fn other(&mut self, kind: &str) -> RecordId {
        if let Some(id) = self.others.get(kind) {
            return id.clone();
        }
        let program = Arc::clone(&self.program);
        let kind = program.kind(kind).unwrap();
        let mut fields = Fields::new();
        for field in kind.fields.iter().filter(|f| f.required) {
            fields.insert(field.name.clone(), self.plain(field));
        }
        let engine = Caller::engine(Actor::Operator);
        let done = self.site.desk.open_record(&engine, &kind.name, fields, Vec::new()).await.unwrap();
        self.others.insert(kind.name.clone(), done.record.id.clone());
        done.record.id
    }

    /// A value that a field of this type takes, where it names no record.
    fn plain(&mut self, field: &Field) -> Value {
        self.made += 1;
        match &field.kind {
            FieldType::Text => json!("Something with 5 words in it"),
            FieldType::Markdown => json!("Five words, and the number 5"),
            FieldType::Word => json!(format!("word{}", self.made)),
            FieldType::Choice(choices) => json!(choices[0]),
            FieldType::Severity | FieldType::Confidence => json!("high"),
            FieldType::Number => json!(3),
            FieldType::Date => json!(self.today().to_string()),
            FieldType::Person => json!(PEOPLE[0]),
            FieldType::Team => json!("blue"),
            FieldType::Cvss => json!("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"),
            FieldType::Url => json!("https://example.com/a"),
            FieldType::Flag => json!(true),
            FieldType::Record(_) => Value::Null,
        }
    }

    async fn value(&mut self, field: &Field) -> Value {
        match &field.kind {
            FieldType::Record(of) => {
                let kind = of.clone().unwrap_or_else(|| "asset".to_owned());
                json!(self.other(&kind).await.to_string())
            }
            _ => self.plain(field),
        }
    }

    /// What an example holds, with its days moved to today and its records to some that exist.
    async fn held(&mut self, kind: &Kind, example: &Example) -> Fields {
        let then: Date = example.today.parse().unwrap();
        let days = then.until(self.today()).unwrap().get_days();
        let mut fields = Fields::new();
        for (name, value) in &example.fields {
            let field = kind.field(name).unwrap();
            if field.engine || name == "title" || value.is_null() {
                continue;
            }
            let value = match (&field.kind, value.as_str()) {
                (FieldType::Date, Some(text)) => {
                    json!(text.parse::<Date>().unwrap().checked_add(days.days()).unwrap().to_string())
                }
                (FieldType::Record(_), _) => self.value(field).await,
                _ => value.clone(),
            };
            fields.insert(name.clone(), value);
        }
        fields
    }

    /// What goes with a transition: what an example holds that takes it, and what it needs beside that.
    async fn with(&mut self, kind: &Kind, way: &Transition, from: &str) -> Fields {
        let shown = kind
            .examples
            .iter()
            .find(|e| e.expect.can.contains(&way.name) && e.state == from)
            .or_else(|| kind.examples.iter().find(|e| e.expect.can.contains(&way.name)));
        assert!(
            shown.is_some() || way.when.is_none(),
            "{}: no example shows when `{}` can be taken",
            kind.name,
            way.name
        );
        let mut fields = match shown {
            Some(example) => self.held(kind, example).await,
            None => Fields::new(),
        };
        for name in &way.needs {
            let field = kind.field(name).unwrap();
            if !field.engine && !fields.contains_key(name) {
                fields.insert(name.clone(), self.value(field).await);
            }
        }
        fields
    }

    /// Who of those that may goes through a door; where nobody can by the API, through the pages.
    fn who(&self, roles: &[String], door: Door) -> Option<(String, Door)> {
        let has = |r: &&String| door == Door::Page || self.tokens.contains_key(*r);
        let people = || roles.iter().filter(|r| *r != ENGINE);
        let found = people().find(has).map(|r| (r.clone(), door));
        found.or_else(|| people().next().map(|r| (r.clone(), Door::Page)))
    }

    async fn command(&self, role: &str, id: &RecordId, body: &Value) -> Page {
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri(format!("/api/v1/records/{id}/commands"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.tokens[role]))
            .header(header::CONTENT_TYPE, "application/json")
            .extension(axum::extract::ConnectInfo("192.0.2.9:4000".parse::<std::net::SocketAddr>().unwrap()))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.site.send(request).await
    }

    async fn make(&mut self, kind: &Kind, door: Door) -> RecordId {
        let (role, door) = self.who(&kind.opened_by, door).unwrap();
        let mut fields = Fields::new();
        for field in kind.fields.iter().filter(|f| f.required && !f.engine) {
            fields.insert(field.name.clone(), self.value(field).await);
        }
        match door {
            Door::Api => {
                let request = axum::http::Request::builder()
                    .method(Method::POST)
                    .uri("/api/v1/records")
                    .header(header::AUTHORIZATION, format!("Bearer {}", self.tokens[&role]))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Body::from(json!({"kind": kind.name, "fields": fields}).to_string()))
                    .unwrap();
                let page = self.site.send(request).await;
                assert_eq!(page.status, StatusCode::CREATED, "{}: {}", kind.name, page.body);
                page.json()["record"]["id"].as_str().unwrap().parse().unwrap()
            }
            Door::Page => {
                let form = form(&fields);
                let mut all = vec![("kind", kind.name.as_str())];
                all.extend(form.iter().map(|(n, v)| (n.as_str(), v.as_str())));
                let client = self.people.get_mut(&role).unwrap();
                let shown = client.get(&format!("/records/new?kind={}", kind.name)).await;
                assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
                let page = client.post("/records/new", &all).await;
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{}: {}", kind.name, page.body);
                page.location().strip_prefix("/records/").unwrap().parse().unwrap()
            }
        }
    }

    async fn record(&self, id: &RecordId) -> Record {
        self.site.desk.record(&Caller::engine(Actor::Operator), id).await.unwrap()
    }

    async fn attach(&mut self, role: &str, id: &RecordId) {
        let client = self.people.get_mut(role).unwrap();
        let body = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--cut\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"proof.txt\"\r\n\r\nproof\r\n--cut--\r\n",
            client.csrf
        );
        let request = client
            .request(Method::POST, &format!("/records/{id}/files"))
            .header(header::ORIGIN, &client.site.origin.0)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .body(Body::from(body))
            .unwrap();
        let page = client.take(request).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    }

    /// Takes a transition, which must succeed.
    async fn take(&mut self, kind: &Kind, id: &RecordId, way: &Transition, door: Door, tally: &mut Tally) {
        let before = self.record(id).await;
        let fields = self.with(kind, way, &before.state).await;
        // Where it counts who takes it, it is a person, and another than the one who opened the record.
        let personal = way.when.as_ref().is_some_and(|c| c.variables().iter().any(|v| v == "caller"));
        let way_in = if personal {
            way.who.iter().rfind(|r| *r != ENGINE).map(|r| (r.clone(), Door::Page))
        } else {
            self.who(&way.who, door)
        };
        let door = way_in.as_ref().map_or(door, |(_, door)| *door);
        let role = way_in.map(|(role, _)| role);
        if way.needs_evidence && before.files == 0 {
            self.attach(role.as_deref().unwrap(), id).await;
        }
        let told = format!("{}: `{}` of {id} from {} with {fields:?}", kind.name, way.name, before.state);
        match (role, door) {
            (None, _) => {
                let engine = Caller::engine(Actor::Policy);
                let because = "it is time".to_owned();
                let command = Command::Move { transition: way.name.clone(), fields, because };
                let done = self.site.desk.act(&engine, id, None, command).await;
                assert!(done.is_ok(), "{told}: {done:?}");
                tally.policy += 1;
            }
            (Some(role), Door::Api) => {
                let body =
                    json!({"do": "move", "transition": way.name, "fields": fields, "because": "It is so."});
                let page = self.command(&role, id, &body).await;
                assert_eq!(page.status, StatusCode::OK, "{told}: {}", page.body);
                tally.api += 1;
            }
            (Some(role), Door::Page) => {
                let form = form(&fields);
                let mut all = vec![("transition", way.name.as_str()), ("because", "It is so.")];
                all.extend(form.iter().map(|(n, v)| (n.as_str(), v.as_str())));
                let client = self.people.get_mut(&role).unwrap();
                let mut shown = client.get(&format!("/records/{id}")).await;
                let offered = format!("value=\"{}\"", way.name);
                // What the record holds already may bar it: a person changes that first, on the same page.
                if !shown.body.contains(&offered) {
                    let set: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                    let page = client.post(&format!("/records/{id}/set"), &set).await;
                    assert_eq!(page.status, StatusCode::SEE_OTHER, "{told}: {}", page.body);
                    shown = client.get(&format!("/records/{id}")).await;
                }
                assert_eq!(shown.status, StatusCode::OK, "{told}: {}", shown.body);
                assert!(shown.body.contains(&offered), "{told}: the page does not offer it");
                let page = client.post(&format!("/records/{id}/move"), &all).await;
                assert_eq!(page.status, StatusCode::SEE_OTHER, "{told}: {}", page.body);
                tally.page += 1;
            }
        }
        let after = self.record(id).await;
        assert_eq!(after.state, way.to, "{told}");
        tally.states.insert(after.state.clone());
        tally.closed |= !after.open && before.open;
    }

    /// Tries every move that is not allowed where a record stands.
    async fn refuse_all(&mut self, kind: &Kind, id: &RecordId, tally: &mut Tally) {
        let program = Arc::clone(&self.program);
        let record = self.record(id).await;
        for way in &kind.transitions {
            let able = way.who.iter().find(|r| self.tokens.contains_key(*r)).cloned();
            // Where nobody who may has a token, one who sees the record is told that it does not lead out.
            let role = able.clone().unwrap_or_else(|| "lead".to_owned());
            let body = |fields: &Fields, because: &str| json!({"do": "move", "transition": way.name, "fields": fields, "because": because});
            let nothing = Fields::new();
            if !way.from.contains(&record.state) {
                let page = self.command(&role, id, &body(&nothing, "Now.")).await;
                self.refused(&record, way, &page, StatusCode::CONFLICT, "from another state", tally).await;
                continue;
            }
            let full = self.with(kind, way, &record.state).await;
            let outside = program.policies.roles.iter().find(|r| {
                !way.who.contains(&r.name)
                    && (r.confidential || !kind.confidential)
                    && self.tokens.contains_key(&r.name)
            });
            if let Some(outside) = outside {
                let page = self.command(&outside.name, id, &body(&full, "Now.")).await;
                self.refused(&record, way, &page, StatusCode::FORBIDDEN, "by a role that may not", tally)
                    .await;
            }
            if able.is_none() {
                continue;
            }
            if way.needs_reason {
                let page = self.command(&role, id, &body(&full, " ")).await;
                self.refused(
                    &record,
                    way,
                    &page,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "without a reason",
                    tally,
                )
                .await;
            }
            for missing in way.needs.iter().filter(|n| !record.fields.contains_key(*n)) {
                let mut fields = full.clone();
                if fields.remove(missing).is_none() {
                    continue;
                }
                let page = self.command(&role, id, &body(&fields, "Now.")).await;
                self.refused(&record, way, &page, StatusCode::UNPROCESSABLE_ENTITY, "without a field", tally)
                    .await;
                assert!(page.body.contains(missing.as_str()), "{}", page.body);
            }
            if way.needs_evidence && record.files == 0 {
                let page = self.command(&role, id, &body(&full, "Now.")).await;
                self.refused(&record, way, &page, StatusCode::CONFLICT, "without a file", tally).await;
            }
            // What the examples say cannot be: by its condition, since role, state and fields are right.
            let barred = kind.examples.iter().filter(|e| {
                way.when.is_some()
                    && e.state == record.state
                    && e.expect.barred.contains(&way.name)
                    && e.caller.is_none()
                    && way.who.contains(&e.role)
                    && e.role != ENGINE
                    && way.needs.iter().all(|n| e.fields.contains_key(n))
                    && !e.fields.keys().any(|n| kind.field(n).is_some_and(|f| f.engine))
            });
            for example in barred {
                let mut fields = self.held(kind, example).await;
                for name in &way.needs {
                    if !fields.contains_key(name) {
                        fields.insert(name.clone(), self.value(kind.field(name).unwrap()).await);
                    }
                }
                // What stands on the record already is not of the example.
                for name in record.fields.keys().filter(|n| *n != "title") {
                    let field = kind.field(name).unwrap();
                    if !field.engine && !field.required && !fields.contains_key(name) {
                        fields.insert(name.clone(), Value::Null);
                    }
                }
                let page = self.command(&example.role, id, &body(&fields, "Now.")).await;
                self.refused(&record, way, &page, StatusCode::CONFLICT, "by its condition", tally).await;
            }
        }
    }

    async fn refused(
        &self,
        record: &Record,
        way: &Transition,
        page: &Page,
        status: StatusCode,
        why: &'static str,
        tally: &mut Tally,
    ) {
        let told = format!("{} in {}: `{}` {why}", record.id, record.state, way.name);
        assert_eq!(page.status, status, "{told}: {}", page.body);
        assert!(page.json()["detail"].as_str().is_some_and(|d| d.len() > 10), "{told}: {}", page.body);
        let after = self.record(&record.id).await;
        assert_eq!((&after.state, after.version), (&record.state, record.version), "{told}");
        *tally.refused.entry(why).or_default() += 1;
    }
}

fn form(fields: &Fields) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    fields.iter().map(|(n, v)| (format!("field.{n}"), text(v))).collect()
}

/// The shortest way to each state, from the one that records open in.
fn ways(kind: &Kind) -> BTreeMap<String, Vec<&Transition>> {
    let first = kind.initial().name.clone();
    let mut found: BTreeMap<String, Vec<&Transition>> = [(first.clone(), Vec::new())].into();
    let mut next: VecDeque<String> = [first].into();
    while let Some(state) = next.pop_front() {
        let so_far = found[&state].clone();
        for way in kind.transitions.iter().filter(|t| t.from.contains(&state)) {
            if !found.contains_key(&way.to) {
                let mut path = so_far.clone();
                path.push(way);
                found.insert(way.to.clone(), path);
                next.push_back(way.to.clone());
            }
        }
    }
    found
}

#[tokio::test]
async fn every_kind_is_worked_through_all_its_states() {
    let site = Site::new().await;
    let program = site.desk.program();
    for login in PEOPLE {
        let fields: Fields = [("title", login), ("login", login), ("role", "engineer"), ("team", "blue")]
            .map(|(n, v)| (n.to_owned(), json!(v)))
            .into();
        site.desk.open_record(&Caller::engine(Actor::Operator), "person", fields, Vec::new()).await.unwrap();
    }
    let mut world = World {
        site: &site,
        program: Arc::clone(&program),
        tokens: BTreeMap::new(),
        people: BTreeMap::new(),
        others: BTreeMap::new(),
        made: 0,
    };
    for role in &program.policies.roles {
        world.people.insert(role.name.clone(), site.person(&format!("the_{}", role.name), &role.name).await);
        // Nobody gets a token that manages people: that is done on the pages alone.
        if role.admin {
            continue;
        }
        let token = make_token(&site.desk, &role.name, &role.name, &["read", "write"], 30, &Actor::Operator)
            .await
            .unwrap();
        world.tokens.insert(role.name.clone(), token);
    }
    let mut table = String::new();
    let mut all = [0; 6];
    // People are made on the administrators' pages, which have tests of their own.
    for kind in program.kinds.values().filter(|k| !k.opened_by.is_empty() && k.name != wardroom_desk::PERSON)
    {
        let mut tally = Tally::default();
        let paths = ways(kind);
        let mut tried = BTreeSet::new();
        let mut turn = 0;
        for way in &kind.transitions {
            // States that only scans open records in are theirs.
            for from in way.from.iter().filter(|f| paths.contains_key(*f)) {
                turn += 1;
                let door = if turn % 2 == 0 { Door::Page } else { Door::Api };
                let id = world.make(kind, door).await;
                tally.states.insert(kind.initial().name.clone());
                for step in &paths[from] {
                    world.take(kind, &id, step, door, &mut tally).await;
                }
                if tried.insert(from.clone()) {
                    world.refuse_all(kind, &id, &mut tally).await;
                }
                world.take(kind, &id, way, door, &mut tally).await;
                if tried.insert(way.to.clone()) {
                    world.refuse_all(kind, &id, &mut tally).await;
                }
            }
        }
        let reachable: BTreeSet<String> = paths.into_keys().collect();
        assert_eq!(tally.states, reachable, "{}", kind.name);
        let ends = kind.states.iter().any(|s| s.open) && kind.states.iter().any(|s| !s.open);
        assert!(tally.closed || !ends, "{}: none was closed", kind.name);
        let refused: usize = tally.refused.values().sum();
        let whys: Vec<String> = tally.refused.iter().map(|(why, n)| format!("{n} {why}")).collect();
        writeln!(
            table,
            "| {} | {} of {} | {} | {} | {} | {} | {refused}: {} |",
            kind.name,
            tally.states.len(),
            kind.states.len(),
            kind.transitions.len(),
            tally.api,
            tally.page,
            tally.policy,
            whys.join(", ")
        )
        .unwrap();
        let counts =
            [tally.states.len(), kind.transitions.len(), tally.api, tally.page, tally.policy, refused];
        for (sum, n) in all.iter_mut().zip(counts) {
            *sum += n;
        }
    }
    let text = page(&table, all);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kinds.md");
    if std::env::var_os("WARDROOM_WRITE_DOCS").is_some() {
        std::fs::write(path, text).unwrap();
    } else {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, text, "docs/kinds.md is old: run `cargo xtask docs`");
    }
}

fn page(table: &str, [states, ways, api, pages, policy, refused]: [usize; 6]) -> String {
    format!(
        "# Every kind at work\n\n\
         A test (`crates/web/tests/kinds.rs`) writes this page. It reads the built-in program and nothing else\n\
         about the kinds. Of each it makes records, by the API and by the pages' forms in turn, takes every\n\
         transition out of every state that it leads out of, and tries every move that is not allowed: from\n\
         another state, by a role that may not, without a reason, a field or a file that is needed, and where an\n\
         example says that the condition does not hold. A refused move says why and leaves the record as it was.\n\n\
         People are made on the administrators' pages alone, and are not in the table; nor is the program's own\n\
         kind, which nobody opens.\n\n\
         States that are missing are those in which scans alone open records. Transitions of policies are taken\n\
         by the engine itself.\n\n\
         | kind | states walked | transitions | moves by API | by form | by policies | refused |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n\
         {table}\
         | all | {states} | {ways} | {api} | {pages} | {policy} | {refused} |\n"
    )
}
