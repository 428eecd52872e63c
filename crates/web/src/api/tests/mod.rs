//! The API over a real router and a real store.

mod abuse;
mod described;
mod keys;
mod roles;
mod sight;
mod versions;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use wardroom_desk::{Actor, Caller, Fields};
use wardroom_model::{Category, Cwe, Rule, Severity};
use wardroom_program::{File, Program};
use wardroom_service::{Clock, Desk};
use wardroom_store_sqlite::{Options, SqliteStore};

use crate::{App, Origin, Settings, tokens};

/// A clock that stands: 27 November 2026, noon.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> i64 {
        1_795_780_800_000
    }
}

/// A rule to be listed.
static RULE: Rule = Rule {
    id: "open-redirect",
    title: "A redirect to where a user says",
    category: Category::FilesAndNetwork,
    cwe: Cwe(601),
    severity: Severity::Medium,
    cvss: None,
    doc: "What a user sends is the target.\n\nMore on it.",
};

/// A desk with an API before it.
pub struct Place {
    pub app: App,
    router: Router,
    _folder: TempDir,
}

/// What was answered.
pub struct Said {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Said {
    /// The type of a problem, which must be one in form.
    pub fn problem(&self) -> &str {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text);
        assert_eq!(self.body["status"], self.status.as_u16(), "{}", self.text);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.text);
        self.body["type"].as_str().and_then(|t| t.strip_prefix("/api/v1/problems#")).expect("a type")
    }
}

/// The built-in program, with reviews that are confidential.
fn program() -> Program {
    let built_in = Program::built_in();
    let files: Vec<File> = built_in
        .files
        .iter()
        .map(|(path, text)| {
            let mut text = text.clone();
            if path.ends_with("review.yaml") {
                text = text.replacen("prefix:", "confidential: true\nprefix:", 1);
            }
            File { path: path.clone(), text }
        })
        .collect();
    let built = wardroom_program::load(&files);
    built.program.unwrap_or_else(|| panic!("{:?}", built.problems))
}

impl Place {
    /// An empty one.
    pub async fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::create(&folder.path().join("desk.db"), &Options::default()).await.unwrap();
        let public_key = store.public_key().to_vec();
        let settings =
            wardroom_service::Settings { store: Arc::new(store), program: program(), clock: Arc::new(Noon) };
        let desk = Arc::new(Desk::open(settings).await.unwrap());
        let origin = Origin("https://desk.example".to_owned());
        let app = App::new(Settings { desk, rules: vec![&RULE], origin, public_key });
        Place { router: app.clone().router(), app, _folder: folder }
    }

    /// One with two findings, F-3 and F-4, of the repository A-2, a person P-1, and a confidential
    /// review R-5 that F-3 is tied to.
    pub async fn filled() -> Place {
        let place = Place::new().await;
        let engine = Caller::engine(Actor::Operator);
        let fields = |value: Value| serde_json::from_value::<Fields>(value).unwrap();
        let ana =
            fields(json!({"title": "Ana", "login": "ana", "email": "ana@desk.example", "role": "lead"}));
        place.app.desk.open_record(&engine, "person", ana, Vec::new()).await.unwrap();
        let sender = place.token("engineer", &["deliver"]).await;
        let said = place.post("/scans", &sender, &scan(2)).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        assert_eq!(said.body["asset"], "A-2");
        let review = fields(json!({"title": "Quiet look at the vault"}));
        place.app.desk.open_record(&engine, "review", review, Vec::new()).await.unwrap();
        place
    }

    /// A token of a service.
    pub async fn token(&self, role: &str, scopes: &[&str]) -> String {
        let name = format!("t{}", crate::random::hex(&crate::random::bytes::<6>()));
        tokens::make_token(&self.app.desk, &name, role, scopes, 30, &Actor::Operator).await.unwrap()
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Said {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Said { status: parts.status, headers: parts.headers, body, text }
    }

    /// Asks for something.
    pub async fn get(&self, path: &str, token: &str) -> Said {
        self.send(asking("GET", path, token).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Said {
        self.send(json_request(path, token).body(Body::from(body.to_string())).unwrap()).await
    }
}

/// A request with a token.
pub fn asking(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    if token.is_empty() { request } else { request.header(header::AUTHORIZATION, format!("Bearer {token}")) }
}

/// A request that will have JSON.
pub fn json_request(path: &str, token: &str) -> axum::http::request::Builder {
    asking("POST", path, token).header(header::CONTENT_TYPE, "application/json")
}

/// A scan with some findings.
pub fn scan(findings: usize) -> Value {
    let findings: Vec<Value> = (1..=findings)
        .map(|n| {
            json!({
                "fingerprint": format!("print{n}"), "rule": "open-redirect", "severity": "high",
                "confidence": "high", "cwe": 601, "message": format!("Redirect {n}"), "scope": format!("C{n}#go"),
                "location": {"file": format!("app/c{n}.rb"), "start": {"line": n, "column": 1},
                    "end": {"line": n, "column": 9}, "snippet": "redirect_to x"},
                "endpoints": [{"index": 0}], "path": [],
            })
        })
        .collect();
    json!({
        "repository": "shop/web", "complete": true, "commit": "4f2a9c61",
        "report": {
            "tool": {"name": "wardroom", "version": "1"}, "problems": [],
            "rules": [{"id": "open-redirect", "category": "injection"}],
            "endpoints": [{"method": "GET", "path": "/go", "handler": "c#go", "authenticated": false}],
            "findings": findings,
        },
    })
}
