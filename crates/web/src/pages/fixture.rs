//! What the tests of pages stand on: findings in an index without a store, and a desk over a real one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use wardroom_desk::intake::Delivery;
use wardroom_desk::{Actor, Caller, ClockState, Fields, Index, Record, RecordId, Running, Viewer};
use wardroom_model::{Category, Cwe, Rule, Severity};
use wardroom_program::Program;
use wardroom_service::{Clock, Desk, Person};
use wardroom_store_sqlite::{Options, SqliteStore};

use crate::session::{Session, Viewer as Signed};
use crate::{App, Origin, Settings};

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;
/// The present of these tests: 2026-11-27, noon.
pub const NOW: i64 = 20_784 * DAY + DAY / 2;

/// Somebody who may see what is not confidential.
pub fn somebody() -> Viewer {
    Viewer { login: Some("ana".to_owned()), team: None, sees_confidential: false }
}

/// A finding that was opened so many days ago, in a state, with fields.
pub fn finding(no: u32, days: i64, state: &str, fields: &[(&str, Value)]) -> Record {
    let opened = NOW - days * DAY;
    let open = !matches!(state, "resolved" | "dismissed" | "accepted" | "duplicate");
    let mut all: Fields = [("title".to_owned(), json!(format!("Finding {no}")))].into();
    all.extend(fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())));
    let lasts = match all.get("severity").and_then(Value::as_str) {
        Some("critical" | "high") => 30,
        Some("medium") => 90,
        _ => 180,
    };
    // Half of its age ago, where it is closed.
    let closed = (!open).then_some(NOW - days * DAY / 2);
    let clock = ClockState {
        due: opened + lasts * DAY,
        started: opened,
        running: closed.map_or(Running::Running, |at| Running::Stopped { at }),
        stood: 0,
    };
    Record {
        id: RecordId::new("F", no),
        kind: "finding".to_owned(),
        version: 1,
        state: state.to_owned(),
        open,
        fields: all,
        labels: BTreeSet::new(),
        links: Vec::new(),
        clocks: BTreeMap::from([("remediate".to_owned(), clock)]),
        seen: BTreeMap::new(),
        mentioned: BTreeSet::new(),
        comments: 0,
        files: 0,
        confidential: false,
        opened,
        updated: opened,
        entered: closed.unwrap_or(opened),
        closed,
        reopened: 0,
        evidence: None,
        passed: vec![(state.to_owned(), opened)],
    }
}

/// An index of some records.
pub fn index(records: &[Record]) -> Index {
    let mut index = Index::new(&Program::built_in());
    for record in records {
        index.put(record);
    }
    index
}

/// Where a page is put to be looked at, where somebody wants to: `WARDROOM_SHOW` names a folder.
pub fn show(name: &str, html: &str) {
    if let Some(folder) = std::env::var_os("WARDROOM_SHOW") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    }
}

/// A frame as a page has it, with styles from beside the file.
pub fn frame(title: &str, here: &str) -> crate::view::Frame {
    crate::view::Frame {
        title: title.to_owned(),
        css: "wardroom.css".to_owned(),
        here: here.to_owned(),
        name: "Ana Ruiz".to_owned(),
        initials: "AR".to_owned(),
        face: 2,
        ..crate::view::Frame::default()
    }
}

/// A rule as checks declare them.
pub static RULE: Rule = Rule {
    id: "sql-injection",
    title: "SQL built from what a user sends",
    category: Category::Injection,
    cwe: Cwe(89),
    severity: Severity::High,
    cvss: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
    doc: "Text that a user controls becomes part of a statement.\n\n## Why it is bad\n\nA quote in the value ends \
          the string.\n\n## Example\n\n```ruby\n## not a heading\nUser.where(\"name = '#{params[:name]}'\")\n```\n",
};

/// Another.
pub static QUIET: Rule = Rule {
    id: "open-redirect",
    title: "A redirect to where a user says",
    category: Category::FilesAndNetwork,
    cwe: Cwe(601),
    severity: Severity::Medium,
    cvss: None,
    doc: "A parameter is the target.",
};

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> i64 {
        NOW
    }
}

/// An application over a store in a folder, with one scan taken in, and somebody signed in as an
/// engineer, or as a viewer. The folder must be kept as long as the application.
pub async fn app() -> (App, Signed, Signed, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&folder.path().join("desk.db"), &Options::default()).await.unwrap();
    let settings =
        wardroom_service::Settings { store: Arc::new(store), program: Program::built_in(), clock: Arc::new(Fixed) };
    let desk = Arc::new(Desk::open(settings).await.unwrap());
    let envelope = json!({
        "repository": "shop/storefront", "branch": "main", "default_branch": "main", "commit": "4c1f9ae",
        "complete": true,
        "report": {
            "tool": {"name": "Wardroom", "version": "1"},
            "rules": [],
            "problems": [],
            "endpoints": endpoints(),
            "findings": [
                {"fingerprint": "a", "rule": "sql-injection", "severity": "high", "confidence": "high", "cwe": 89,
                 "message": "`params[:q]` is part of a statement", "scope": "BookingsController#index",
                 "location": {"file": "app/controllers/bookings_controller.rb", "start": {"line": 9}, "snippet": "where(q)"},
                 "endpoints": [{"index": 0}]},
                {"fingerprint": "b", "rule": "foreign/rule", "severity": "low", "confidence": "low",
                 "message": "Something", "scope": "", "location": {"file": "a.rb", "start": {"line": 1}, "snippet": "x"},
                 "endpoints": []},
            ],
        },
    });
    let delivery = Delivery::read(serde_json::from_value(envelope).unwrap()).unwrap();
    desk.deliver(&Caller::engine(Actor::Scan), &delivery).await.unwrap();
    let app = App::new(Settings {
        desk,
        rules: vec![&RULE, &QUIET],
        origin: Origin("http://localhost".to_owned()),
        public_key: Vec::new(),
    });
    let (engineer, viewer) = (signed(&app, "ana", "engineer"), signed(&app, "vic", "viewer"));
    (app, engineer, viewer, folder)
}

fn signed(app: &App, login: &str, role: &str) -> Signed {
    let role = app.desk.program().policies.roles.iter().find(|r| r.name == role).unwrap().clone();
    let person = Person {
        no: 0,
        login: login.to_owned(),
        name: login.to_owned(),
        role: role.name.clone(),
        team: None,
        active: true,
        since: 0,
    };
    let session = Session {
        login: login.to_owned(),
        csrf: "c".to_owned(),
        began: NOW,
        used: NOW,
        agent: String::new(),
        address: String::new(),
        theme: String::new(),
        said: None,
        undo: None,
        limited: false,
    };
    let caller =
        Caller { actor: Actor::Person(login.to_owned()), role, login: Some(login.to_owned()), team: None };
    Signed { caller, person, session, key: String::new() }
}

/// Endpoints as a scan reports them.
pub fn endpoints() -> Value {
    let way = |method: &str, path: &str, handler: &str, filters: Value, signed_in: bool, checked: bool| {
        json!({"method": method, "path": path, "handler": handler, "parameters": ["id"], "filters": filters,
               "authenticated": signed_in, "authorized": checked, "route": null,
               "action": {"file": "app/controllers/x.rb", "start": {"line": 3}}})
    };
    let login = json!({"name": "require_login", "role": "authentication", "conditional": false});
    let maybe = json!({"name": "require_admin", "role": "authorization", "conditional": true});
    let locale = json!({"name": "set_locale", "role": "other", "conditional": false});
    json!([
        way("GET", "/bookings", "bookings#index", json!([login, locale]), true, false),
        way("PATCH", "/bookings/:id", "bookings#update", json!([login, maybe]), true, true),
        way("PUT", "/bookings/:id", "bookings#update", json!([login, maybe]), true, true),
        way("GET", "/berths/<script>", "berths#index", json!([]), false, false),
        way("POST", "/hooks", "Hooks::Rack", json!([]), false, false),
    ])
}
