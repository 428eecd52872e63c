//! A desk with something to steal.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use wardroom_desk::{Actor, Caller, Change, Fields, RecordId};
use wardroom_program::{File, Program};
use wardroom_web::make_token;

use crate::support::{Client, Page, Site};

/// What stands in the records that not everybody may see.
pub const SECRETS: [&str; 3] = ["R-4", "quietvault", "murmur"];

/// The built-in program, with reviews that are confidential.
pub fn program() -> Program {
    let built_in = Program::built_in();
    let files = built_in.files.iter().map(|(path, text)| {
        let mut text = text.clone();
        if path.ends_with("review.yaml") {
            text = text.replacen("prefix:", "confidential: true\nprefix:", 1);
        }
        File { path: path.clone(), text }
    });
    wardroom_program::load(&files.collect::<Vec<_>>()).program.unwrap()
}

/// One finding of a scan.
pub fn finding(print: &str, message: &str) -> Value {
    json!({
        "fingerprint": print, "rule": "open-redirect", "severity": "high", "confidence": "high", "cwe": 601,
        "message": message, "scope": "SessionsController#new",
        "location": {"file": "app/controllers/sessions_controller.rb", "start": {"line": 12, "column": 5},
                     "snippet": format!("redirect_to params[:{print}]")},
        "endpoints": [{"index": 0}], "path": [],
    })
}

/// A scan with some findings.
pub fn scan(findings: &[Value]) -> Value {
    json!({
        "repository": "shop/web", "branch": "main", "default_branch": "main", "commit": "4f2a9c6", "complete": true,
        "report": {
            "tool": {"name": "wardroom", "version": "1"}, "rules": [], "problems": [],
            "endpoints": [{"method": "GET", "path": "/login", "handler": "sessions#new", "authenticated": false}],
            "findings": findings,
        },
    })
}

/// A desk with the repository A-1, the findings F-2 and F-3, and the confidential review R-4, which
/// F-2 is tied to and named by wherever that can be. Its file has the digest that is given back.
pub async fn filled() -> (Site, String) {
    let site = Site::with("https://desk.example", program()).await;
    let token = make_token(&site.desk, "ci", "lead", &["deliver"], 9, &Actor::Operator).await.unwrap();
    let body = scan(&[finding("aa", "A parameter is a target"), finding("bb", "Another is too")]);
    let page = api(&site, Method::POST, "/scans", &token, Some(&body)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let engine = Caller::engine(Actor::Policy);
    let fields: Fields = [("title".to_owned(), json!("The quietvault of mergers"))].into();
    let opened = site.desk.open_record(&engine, "review", fields, Vec::new()).await.unwrap();
    assert_eq!(opened.record.id.to_string(), "R-4");
    let note = |no, change| site.desk.note(&engine, no, change);
    let to = RecordId::new("R", 4);
    note(2, Change::Linked { relation: "related".to_owned(), to: to.clone(), back: false }).await.unwrap();
    let back = RecordId::new("F", 2);
    note(4, Change::Linked { relation: "related".to_owned(), to: back, back: true }).await.unwrap();
    let fields: Fields = [("duplicate_of".to_owned(), json!("R-4"))].into();
    let because = "follows from R-4".to_owned();
    note(2, Change::Set { fields, before: Fields::new(), because }).await.unwrap();
    let added = ["murmur".to_owned()].into_iter().collect();
    note(4, Change::Labelled { added, removed: Default::default() }).await.unwrap();
    let mut lead = site.person("lea", "lead").await;
    let page = upload(&mut lead, "R-4", "quietvault.txt", "text/plain", b"the murmur of it").await;
    assert_eq!(page.status, 303, "{}", page.body);
    let shown = lead.get("/records/R-4").await;
    let digest = shown.between("/records/R-4/files/", "\"").unwrap().to_owned();
    (site, digest)
}

/// A request to the API with a token.
pub async fn api(site: &Site, method: Method, path: &str, token: &str, body: Option<&Value>) -> Page {
    let mut request = site
        .browser()
        .request(method, &format!("/api/v1{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
    site.send(request.body(body).unwrap()).await
}

/// A file put with a record, as a browser sends it.
pub async fn upload(client: &mut Client<'_>, id: &str, name: &str, media: &str, bytes: &[u8]) -> Page {
    let csrf = client.csrf.clone();
    let mut body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--cut\r\nContent-Disposition: \
         form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--cut--\r\n");
    sent(client, id, "multipart/form-data; boundary=cut", body).await
}

/// Any body to where files are put.
pub async fn sent(client: &mut Client<'_>, id: &str, media: &str, body: Vec<u8>) -> Page {
    let request = client
        .request(Method::POST, &format!("/records/{id}/files"))
        .header(header::ORIGIN, &client.site.origin.0)
        .header(header::CONTENT_TYPE, media)
        .body(Body::from(body))
        .unwrap();
    client.take(request).await
}

/// A text as part of an address.
pub fn coded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
