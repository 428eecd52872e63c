//! Markup in everything that comes from outside.

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};
use wardroom_desk::{Actor, Caller, Fields};
use wardroom_web::{make_token, signed_in_link};

use crate::place::{api, coded, upload};
use crate::probes::{PROBE, WORD, escaped};
use crate::support::{Client, Page, Site};

/// A scan in which every text is a probe.
fn scan() -> Value {
    let step = json!({"file": WORD, "start": {"line": 1}, "end": {"line": 2}, "note": PROBE, "snippet": PROBE,
                      "kind": PROBE, "location": {"file": WORD, "start": {"line": 1}, "snippet": PROBE}, "message": PROBE});
    let filters = ["authentication", "authorization", "csrf", "other"]
        .map(|role| json!({"name": PROBE, "role": role, "conditional": true}));
    json!({
        "repository": PROBE, "branch": WORD, "default_branch": WORD, "commit": WORD, "complete": true,
        "codeowners": format!("* @{WORD}\n{WORD} {PROBE}\n"),
        "diffs": {WORD: format!("--- a/{PROBE}\n+++ b/{PROBE}\n@@ -1 +1 @@ {PROBE}\n-{PROBE}\n+{PROBE}\n {PROBE}\n")},
        "excerpts": {WORD: [[1, PROBE], [2, "</code></pre><x-probe>"]]},
        "report": {
            "tool": {"name": PROBE, "version": PROBE},
            "rules": [{"id": WORD, "category": WORD, "title": PROBE}],
            "problems": [{"file": WORD, "message": PROBE}],
            "endpoints": [{
                "method": PROBE, "path": format!("/{PROBE}"), "handler": WORD, "authenticated": false,
                "authorized": false, "parameters": [PROBE, WORD], "route": step, "action": step,
                "filters": filters,
            }],
            "findings": [{
                "fingerprint": WORD, "rule": WORD, "severity": "high", "confidence": "high", "cwe": 79,
                "message": format!("`{PROBE}` {PROBE}"), "reason": PROBE, "remedy": PROBE, "scope": PROBE,
                "location": {"file": WORD, "start": {"line": 1, "column": 1}, "end": {"line": 2, "column": 1}, "snippet": PROBE},
                "endpoints": [{"index": 0}], "path": [step, step], "diff": PROBE, "fix": {"title": PROBE, "edits": []},
                "suppression": null,
            }],
        },
    })
}

/// Text in Markdown with everything that could come to life.
fn prose() -> String {
    format!(
        "{PROBE}\n\n[a](javascript:alert(1)) [b](JaVa&#x73;cript:alert(1)) [c](data:text/html,x) <javascript:alert(1)> \
         ![d](https://evil.example/x.png \"{WORD}\")\n\n<img src=x onerror=1><svg/onload=1>\n\n<a href=\"java\nscript:1\">x</a>\n\n\
         ```{WORD}\n{PROBE}\n```\n\n| {PROBE} |\n|---|\n| <style>*{{}}</style> |\n\n[x]: javascript:alert(1)\n\n[x] @{WORD} F-2\n"
    )
}

/// A desk that somebody has filled with probes, and its administrator.
async fn filled(site: &Site) -> Client<'_> {
    let token = make_token(&site.desk, "ci", "lead", &["deliver"], 9, &Actor::Operator).await.unwrap();
    let page = api(site, Method::POST, "/scans", &token, Some(&scan())).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let fields: Fields = [
        ("title".to_owned(), json!(PROBE)),
        ("login".to_owned(), json!("eve")),
        ("role".to_owned(), json!("admin")),
        ("team".to_owned(), json!(WORD)),
    ]
    .into();
    site.desk.open_record(&Caller::engine(Actor::Operator), "person", fields, Vec::new()).await.unwrap();
    let link = signed_in_link(&site.desk, &site.origin, "eve", 600_000).await.unwrap();
    let mut eve = site.browser();
    let request = Client::request(&eve, Method::GET, site.path_of(&link)).header(header::USER_AGENT, PROBE);
    let mut request = request.body(Body::empty()).unwrap();
    request.headers_mut().remove(header::USER_AGENT);
    request.headers_mut().insert(header::USER_AGENT, PROBE.parse().unwrap());
    assert_eq!(eve.take(request).await.status, 303);
    eve.load_csrf().await;
    let prose = prose();
    let done = async |eve: &mut Client<'_>, path: &str, fields: &[(&str, &str)]| {
        let page = eve.post(path, fields).await;
        assert_eq!(page.status, 303, "{path}: {}", page.body);
    };
    done(&mut eve, "/records/F-2/comments", &[("text", &prose)]).await;
    done(
        &mut eve,
        "/records/F-2/set",
        &[
            ("field.owner", "eve"),
            ("field.team", WORD),
            ("field.fixed_in", PROBE),
            ("field.exception_note", &prose),
            ("because", PROBE),
        ],
    )
    .await;
    done(
        &mut eve,
        "/records/F-2/move",
        &[("transition", "dismiss"), ("field.dismissal", "false_positive"), ("because", PROBE)],
    )
    .await;
    done(
        &mut eve,
        "/records/new",
        &[("kind", "finding"), ("field.title", PROBE), ("field.fixed_in", PROBE), ("field.severity", "high")],
    )
    .await;
    done(
        &mut eve,
        "/records/new",
        &[("kind", "review"), ("field.title", PROBE), ("field.feature", &prose), ("field.looked_at", &prose)],
    )
    .await;
    done(&mut eve, "/views", &[("name", PROBE), ("search", PROBE)]).await;
    done(&mut eve, "/views", &[("name", PROBE), ("search", &format!("rule:\"{WORD}\"")), ("team", "1")])
        .await;
    let page = upload(&mut eve, "F-2", &PROBE.replace('"', "%22"), "text/html", b"<script>1</script>").await;
    assert_eq!(page.status, 303, "{}", page.body);
    eve
}

fn sound(page: &Page, what: &str) {
    assert!(page.header("content-security-policy").contains("default-src 'none'"), "{what}: no policy");
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{what}");
    let media = page.header("content-type");
    if media.starts_with("text/html") {
        assert_eq!(escaped(&page.body), None, "{what}");
    } else if !page.body.is_empty() {
        let kept = page.header("content-disposition").starts_with("attachment");
        let data =
            media.contains("json") || media.starts_with("text/css") || media.starts_with("text/javascript");
        assert!(
            kept || data || media.starts_with("image/svg+xml") || media.starts_with("text/plain"),
            "{what}: {media}"
        );
    }
}

#[tokio::test]
async fn what_a_scan_or_a_person_sends_stays_text() {
    let site = Site::new().await;
    let mut eve = filled(&site).await;
    let (probe, word) = (coded(PROBE), coded(WORD));
    let mut shown = 0;
    let labels = ["A-1", "F-2", "P-3", "F-4", "R-5"];
    let mut paths: Vec<String> =
        labels.iter().flat_map(|id| [format!("/records/{id}"), format!("/records/{id}?all")]).collect();
    paths.extend(
        [
            "/",
            "/inbox",
            "/inbox?part=mine",
            "/queue",
            "/queue?q=",
            "/board",
            "/board?q=kind:review",
            "/surface",
            "/metrics",
            "/metrics?window=365",
            "/rules",
            "/account",
            "/admin",
            "/admin/people",
            "/admin/tokens",
            "/jobs",
            "/program",
            "/program/kinds/finding",
            "/records/new?kind=finding",
            "/export.csv",
            "/export.json",
            "/export.sarif",
            "/surface.csv",
            "/metrics.csv",
            "/rules.csv",
            "/palette",
            "/favicon.ico",
        ]
        .map(str::to_owned),
    );
    for field in ["scope", "file", "handler", "rule", "owner", "team", "repository", "label"] {
        paths.push(format!("/queue?q=group:{field}"));
        paths.push(format!("/queue?q={}", coded(&format!("{field}:\"{}\"", PROBE.replace('"', "\\\"")))));
        paths.push(format!("/complete?q={field}:p"));
    }
    for text in [&probe, &word] {
        for path in [
            "/queue?q=",
            "/queue?sort=",
            "/queue?page=",
            "/board?q=",
            "/inbox?part=",
            "/surface?repository=",
            "/surface?q=",
            "/surface?controller=",
            "/metrics?q=",
            "/metrics?repository=",
            "/metrics?team=",
            "/metrics?window=",
            "/rules?q=",
            "/rules?category=",
            "/rules?sort=",
            "/rules/",
            "/records/",
            "/records/new?kind=",
            "/program/kinds/",
            "/program/files/",
            "/sign-in?next=",
            "/join?key=",
            "/recover?key=",
            "/setup?key=",
            "/enter?key=",
            "/palette?q=",
            "/complete?q=",
            "/cvss?vector=",
            "/jobs/",
            "/nothing/",
            "/static/x/",
            "/export.csv?q=",
            "/api/v1/",
            "/api/v1/records/",
            "/records/F-2/files/",
            "/admin/people/",
            "/sign-in/code?recovery=",
        ] {
            paths.push(format!("{path}{text}"));
        }
    }
    for path in &paths {
        let page = eve.get(path).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.body);
        sound(&page, path);
        shown += usize::from(page.body.contains("x-probe"));
        let gone = site.browser().get(path).await;
        sound(&gone, &format!("{path} for nobody"));
    }
    assert!(shown > 60, "the probes are shown, on {shown} pages");
    let page = eve.get("/records/F-2").await;
    // Message, reason, remedy, scope, snippet, diff, file name, comment: all of it is there, as text.
    assert!(page.body.matches("x-probe").count() > 30, "{}", page.body.matches("x-probe").count());
}

#[tokio::test]
async fn what_a_form_refuses_is_told_as_text() {
    let site = Site::new().await;
    let mut eve = filled(&site).await;
    for (path, fields) in [
        ("/sign-in", &[("name", PROBE), ("password", PROBE), ("next", PROBE)][..]),
        ("/records/F-2/set", &[("field.severity", PROBE)]),
        ("/records/F-2/set", &[("field.<x-probe>", PROBE)]),
        ("/records/F-2/move", &[("transition", PROBE)]),
        ("/records/F-2/labels", &[("labels", PROBE)]),
        ("/records/F-2/link", &[("relation", PROBE), ("to", "A-1")]),
        ("/records/F-2/link", &[("relation", "related"), ("to", PROBE)]),
        ("/records/F-2/same", &[("to", PROBE)]),
        ("/records/F-2/cvss", &[("vector", PROBE)]),
        ("/records/F-2/comments", &[("text", "\u{0}<x-probe>")]),
        ("/records/new", &[("kind", PROBE)]),
        ("/records/new", &[("kind", "finding"), ("field.title", PROBE), ("field.owner", PROBE)]),
        ("/bulk", &[("id", PROBE)]),
        ("/bulk", &[("id", "F-2"), ("move", "dismiss"), ("back", PROBE)]),
        ("/bulk", &[("all", PROBE), ("move", "dismiss"), ("back", "/x\"><x-probe>")]),
        ("/undo", &[("batch", PROBE)]),
        ("/admin/people", &[("login", PROBE), ("name", ""), ("team", PROBE), ("role", PROBE)]),
        ("/admin/people", &[("login", "mallory"), ("name", PROBE), ("team", PROBE), ("role", PROBE)]),
        ("/admin/tokens", &[("name", PROBE), ("role", PROBE), ("days", "9"), ("scope", "read")]),
        ("/account/tokens", &[("name", PROBE), ("proof", PROBE)]),
        ("/account/theme", &[("theme", PROBE)]),
        ("/admin/people/eve/role", &[("role", PROBE)]),
    ] {
        let page = eve.post(path, fields).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.body);
        sound(&page, path);
        for next in ["/inbox", "/records/F-2", "/admin/people"] {
            sound(&eve.get(next).await, next);
        }
    }
}

/// The cells of a file, read as RFC 4180 says.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' | '\r' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[tokio::test]
async fn no_cell_of_an_export_is_a_formula() {
    let site = Site::new().await;
    let token = make_token(&site.desk, "ci", "lead", &["deliver"], 9, &Actor::Operator).await.unwrap();
    for (at, begins) in
        ["=", "+", "-", "@", "\t=", "\r=", " =", "\u{a0}=", "\u{feff}=", "\u{ff1d}", "\n="].iter().enumerate()
    {
        let evil = format!("{begins}cmd|'/c calc'!A1\",=1+1,\"=2");
        let plain: String = evil.chars().filter(|c| !c.is_control()).collect();
        let mut scan = scan();
        scan["repository"] = json!(plain);
        scan["report"]["endpoints"][0]["path"] = json!(evil);
        scan["report"]["endpoints"][0]["handler"] = json!(evil);
        scan["report"]["endpoints"][0]["parameters"] = json!([evil]);
        let finding = &mut scan["report"]["findings"][0];
        for field in ["message", "scope"] {
            finding[field] = json!(evil);
        }
        finding["rule"] = json!(format!("=r{at}"));
        finding["location"]["file"] = json!(evil);
        let page = api(&site, Method::POST, "/scans", &token, Some(&scan)).await;
        assert_eq!(page.status, 200, "{}", page.body);
    }
    let mut eve = site.person("eve", "admin").await;
    for path in ["/export.csv", "/surface.csv", "/metrics.csv", "/rules.csv"] {
        let page = eve.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        for cell in cells(&page.body) {
            let first =
                cell.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').chars().next();
            let number = cell.parse::<f64>().is_ok();
            assert!(
                number
                    || !matches!(
                        first,
                        Some('=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
                    ),
                "{path}: {cell:?}"
            );
        }
    }
    for path in ["/export.json", "/export.sarif"] {
        let page = eve.get(path).await;
        assert!(serde_json::from_str::<Value>(&page.body).is_ok(), "{path}");
    }
}
