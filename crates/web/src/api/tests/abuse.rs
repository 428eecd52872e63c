//! Input that nobody means well.

use std::io::Write;

use axum::body::Body;
use axum::http::{StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Place, asking, json_request, scan};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn a_packed_scan_is_taken_in() {
    let place = Place::new().await;
    let token = place.token("engineer", &["deliver"]).await;
    let body = packed(scan(2).to_string().as_bytes());
    for (encoding, body) in [("gzip", body.clone()), ("gzip", [packed(b"  "), body].concat())] {
        let request = json_request("/scans", &token).header(header::CONTENT_ENCODING, encoding);
        let said = place.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        assert_eq!(said.body["counts"]["seen"], 2);
    }
    assert_eq!(place.post("/scans", &token, &scan(2)).await.body["unchanged"], true);
}

#[tokio::test]
async fn scans_that_are_wrong_are_told_where() {
    let place = Place::new().await;
    let token = place.token("engineer", &["deliver"]).await;
    let whole = scan(2).to_string();
    let deep = format!("{{\"repository\":\"x\",\"report\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let broken: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("half", whole.as_bytes()[..whole.len() / 2].to_vec()),
        ("deep", deep.into_bytes()),
        ("no JSON", b"<scan/>".to_vec()),
        ("more behind it", format!("{whole} x").into_bytes()),
        ("no UTF-8", [&b"{\"repository\":\"\xff\","[..], &whole.as_bytes()[1..]].concat()),
    ];
    for (what, body) in broken {
        let said = place.send(json_request("/scans", &token).body(Body::from(body)).unwrap()).await;
        assert_eq!((said.status, said.problem()), (StatusCode::BAD_REQUEST, "malformed"), "{what}");
        let detail = said.body["detail"].as_str().unwrap();
        assert!(detail.contains("line 1 column"), "{what}: {detail}");
    }
    let with = |path: &str, value: Value| {
        let mut scan = scan(2);
        let (parent, name) = path.rsplit_once('/').unwrap();
        scan.pointer_mut(parent).unwrap()[name] = value;
        scan
    };
    for (body, field) in [
        (json!([]), ""),
        (json!({"repository": "x"}), ""),
        (with("/more", json!(1)), "more"),
        (with("/repository", json!(1)), "repository"),
        (with("/repository", json!("a\u{0}b")), "repository"),
        (with("/branch", json!("")), "branch"),
        (with("/complete", json!("yes")), "complete"),
        (with("/excerpts", json!({"a.rb": [["x", "y"]]})), "excerpts.a.rb[0][0]"),
        (with("/report", json!("x")), "report"),
        (with("/report/findings", json!({})), "report.findings"),
        (with("/report/findings", json!([1])), "report.findings[0]"),
    ] {
        let said = place.post("/scans", &token, &body).await;
        assert_eq!((said.status, said.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{field}");
        assert_eq!(said.body["errors"][0]["field"], field, "{}", said.text);
    }
    let mut twice = scan(2);
    twice["report"]["findings"][1]["fingerprint"] = json!("print1");
    let said = place.post("/scans", &token, &twice).await;
    assert_eq!(said.body["errors"][0]["field"], "report.findings[1].fingerprint");
    assert_eq!(place.app.desk.store().head().await.unwrap().seq, 0, "nothing was taken in");
}

#[tokio::test]
async fn what_is_packed_wrongly_or_too_large_is_refused() {
    let place = Place::new().await;
    let token = place.token("engineer", &["read", "write", "deliver"]).await;
    let good = packed(scan(1).to_string().as_bytes());
    let send = async |encoding: &str, media: &str, body: Vec<u8>| {
        let request = asking("POST", "/scans", &token)
            .header(header::CONTENT_ENCODING, encoding)
            .header(header::CONTENT_TYPE, media);
        place.send(request.body(Body::from(body)).unwrap()).await
    };
    let json = "application/json";
    assert_eq!(send("gzip", json, good[..good.len() / 2].to_vec()).await.problem(), "malformed");
    assert_eq!(send("gzip", json, b"{}".to_vec()).await.problem(), "malformed");
    assert_eq!(send("br", json, good.clone()).await.problem(), "media");
    assert_eq!(send("gzip, gzip", json, packed(&good)).await.problem(), "media");
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let said = send("gzip", media, good.clone()).await;
        assert_eq!((said.status, said.problem()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media"), "{media}");
    }
    assert_eq!(send("gzip", "application/json; charset=utf-8", good).await.status, StatusCode::OK);
    let large = json!({"kind": "finding", "fields": {"title": "x".repeat(2 << 20)}});
    for path in ["/records", "/bulk", "/records/F-3/commands"] {
        let said = place.post(path, &token, &large).await;
        assert_eq!((said.status, said.problem()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"), "{path}");
    }
}

#[tokio::test]
async fn engines_fields_and_unknown_ones_are_refused() {
    let place = Place::filled().await;
    let token = place.token("lead", &["read", "write"]).await;
    let before = place.get("/records/F-3", &token).await.text;
    for field in [
        "rule",
        "message",
        "priority",
        "priority_because",
        "score",
        "repository",
        "line",
        "tool",
        "severity_found",
        "state",
        "id",
        "version",
        "confidential",
        "open",
        "kind",
        "labels",
        "__proto__",
    ] {
        let fields = json!({field: "x"});
        for (path, body) in [
            ("/records/F-3/commands", json!({"do": "set", "fields": fields})),
            ("/records/F-3/commands", json!({"do": "move", "transition": "start", "fields": fields})),
            ("/records", json!({"kind": "finding", "fields": {"title": "x", field: "x"}})),
        ] {
            let said = place.post(path, &token, &body).await;
            assert_eq!(
                (said.status, said.problem()),
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
                "{field}"
            );
            assert_eq!(said.body["errors"][0]["field"], field);
        }
    }
    for (path, body) in [
        ("/records", json!({"kind": "finding", "fields": {"title": "x"}, "state": "resolved"})),
        ("/records", json!({"kind": "finding", "fields": {"title": "x"}, "confidential": false})),
        ("/records/F-3/commands", json!({"do": "comment", "text": "x", "actor": "person:ana"})),
        ("/records/F-3/commands", json!({"do": "set", "fields": {}, "at": 0})),
        (
            "/records/F-3/commands",
            json!({"do": "attach", "name": "x", "media": "x", "size": 1, "digest": "x"}),
        ),
        ("/bulk", json!({"ids": ["F-3"], "command": {"do": "comment", "text": "x"}, "force": true})),
        ("/bulk", json!({"ids": ["F-3"], "query": "is:open", "command": {"do": "comment", "text": "x"}})),
        ("/bulk", json!({"query": "", "command": {"do": "comment", "text": "x"}})),
        ("/bulk", json!({"query": "nonsense:1", "command": {"do": "comment", "text": "x"}})),
        ("/bulk", json!({"ids": [], "command": {"do": "comment", "text": "x"}})),
    ] {
        assert_eq!(place.post(path, &token, &body).await.problem(), "invalid", "{body}");
    }
    let said = place.post("/records", &token, &json!({"kind": "finding", "state": "x"})).await;
    assert!(said.body["detail"].as_str().unwrap().contains("unknown field `state`"), "{}", said.text);
    assert_eq!(place.get("/records/F-3", &token).await.text, before);
}

#[tokio::test]
async fn strange_texts_do_no_harm() {
    let place = Place::filled().await;
    let token = place.token("lead", &["read", "write", "deliver"]).await;
    let strange = [
        "' OR 1=1 --",
        "\"; DROP TABLE events; --",
        "x\r\nSet-Cookie: a=b",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "\u{202e}\u{0}",
        "../../etc/passwd",
        "%00",
        "\u{feff}",
        "𝕏",
    ];
    for text in strange {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", text).append_pair("sort", "id").append_pair("limit", "1");
        for path in [format!("/records?{}", query.finish())] {
            let said = place.get(&path, &token).await;
            assert!(said.status == StatusCode::OK || said.problem() == "invalid", "{text}: {}", said.text);
            assert!(!said.headers.contains_key("set-cookie"));
        }
        let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
        for path in ["/records/", "/kinds/", "/surface/", "/jobs/"] {
            let said = place.get(&format!("{path}{encoded}"), &token).await;
            assert_eq!((said.status, said.problem()), (StatusCode::NOT_FOUND, "not-found"), "{path} {text}");
        }
        let title = json!({"kind": "finding", "fields": {"title": text}});
        let said = place.post("/records", &token, &title).await;
        if text.chars().any(char::is_control) {
            assert_eq!(said.problem(), "invalid", "{text}");
        } else {
            assert_eq!(said.body["record"]["fields"]["title"], text.trim(), "{}", said.text);
        }
        let because = json!({"do": "set", "fields": {"severity": "low"}, "because": text});
        let said = place.post("/records/F-4/commands", &token, &because).await;
        assert!(said.status == StatusCode::OK || said.problem() == "invalid", "{}", said.text);
        let mut scan = scan(1);
        scan["repository"] = json!(text);
        let said = place.post("/scans", &token, &scan).await;
        assert!(said.status == StatusCode::OK || said.problem() == "invalid", "{}", said.text);
    }
    // What a parameter said comes back in the addresses of pages, and nowhere else in headers.
    let said = place.get("/records?q=redirect%0D%0ASet-Cookie:%20a=b%22%3E&limit=1", &token).await;
    assert!(said.headers.values().all(|v| v.to_str().is_ok_and(|v| !v.contains('\n'))));
    let long = place.get(&format!("/records?q={}", "a".repeat(5_000)), &token).await;
    assert_eq!(long.problem(), "invalid");
}

#[tokio::test]
async fn what_leads_nowhere_is_a_problem_too() {
    let place = Place::filled().await;
    let token = place.token("lead", &["read", "write"]).await;
    for path in ["/nothing", "/records/F-3/nothing", "/records/F-999", "/records/X", "/records/E-3", "/"] {
        let said = place.get(path, &token).await;
        assert_eq!((said.status, said.problem()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
    for (method, path) in
        [("DELETE", "/records/F-3"), ("PUT", "/records"), ("GET", "/bulk"), ("POST", "/problems")]
    {
        let said = place.send(asking(method, path, &token).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (said.status, said.problem()),
            (StatusCode::METHOD_NOT_ALLOWED, "method"),
            "{method} {path}"
        );
        assert!(said.headers.contains_key("allow"), "{method} {path}");
    }
    for (path, kind) in [
        ("/records?limit=0", "invalid"),
        ("/records?limit=501", "invalid"),
        ("/records?limit=x", "malformed"),
        ("/records?lmit=1", "malformed"),
        ("/records?limit=1&limit=2", "malformed"),
        ("/records?sort=x", "invalid"),
        ("/records?q=severity:%3E%3Dhuge", "invalid"),
        ("/facets?fields=nothing", "invalid"),
        ("/metrics?weeks=0", "invalid"),
        ("/records/F-3/events?after=-1", "malformed"),
    ] {
        assert_eq!(place.get(path, &token).await.problem(), kind, "{path}");
    }
    let end = place.get("/records/F-3/events?after=18446744073709551615", &token).await;
    assert_eq!((end.status, &end.body["events"]), (StatusCode::OK, &json!([])));
    let said = place.get("/records?q=severity:%3E%3Dhuge", &token).await;
    assert_eq!((&said.body["places"][0]["from"], &said.body["errors"][0]["field"]), (&json!(0), &json!("q")));
}
