//! Who may what.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Place, scan};

const READS: [&str; 13] = [
    "/records",
    "/records/F-3",
    "/records/F-3/events",
    "/records/F-3/evidence",
    "/facets",
    "/complete?q=is",
    "/metrics",
    "/surface/shop/web",
    "/program",
    "/kinds/finding",
    "/rules",
    "/audit/head",
    "/jobs/999",
];

fn writes() -> Vec<(&'static str, Value, [bool; 4])> {
    // Lead, engineer, developer, viewer.
    let all = [true, true, true, true];
    let security = [true, true, false, false];
    let talking = [true, true, true, false];
    vec![
        ("/records/F-3/commands", json!({"do": "set", "fields": {"severity": "low"}}), security),
        ("/records/F-3/commands", json!({"do": "label", "add": ["x"]}), security),
        ("/records/F-3/commands", json!({"do": "link", "relation": "related", "to": "F-4"}), security),
        ("/records/F-3/commands", json!({"do": "unlink", "relation": "related", "to": "F-4"}), security),
        ("/records/F-3/commands", json!({"do": "comment", "text": "Hm"}), talking),
        ("/records/F-3/commands", json!({"do": "move", "transition": "start"}), talking),
        ("/records", json!({"kind": "finding", "fields": {"title": "x"}}), security),
        ("/records", json!({"kind": "review", "fields": {"title": "x"}}), talking),
        (
            "/records",
            json!({"kind": "person", "fields": {"title": "x", "login": "x", "role": "lead"}}),
            [false; 4],
        ),
        // Each record of a bulk is refused for itself.
        ("/bulk", json!({"ids": ["F-3"], "command": {"do": "comment", "text": "Hm"}}), all),
        ("/scans", scan(1), security),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_what_it_may() {
    for (at, role) in ["lead", "engineer", "developer", "viewer"].into_iter().enumerate() {
        let place = Place::filled().await;
        let token = place.token(role, &["read", "write", "deliver"]).await;
        for path in READS {
            let said = place.get(path, &token).await;
            let wanted = if path == "/jobs/999" { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(said.status, wanted, "{role} {path}: {}", said.text);
        }
        for (path, body, may) in writes() {
            let place = Place::filled().await;
            let token = place.token(role, &["read", "write", "deliver"]).await;
            let said = place.post(path, &token, &body).await;
            if may[at] {
                assert!(said.status.is_success(), "{role} {path} {body}: {}", said.text);
            } else {
                assert_eq!(said.status, StatusCode::FORBIDDEN, "{role} {path} {body}: {}", said.text);
                assert_eq!(said.problem(), "not-allowed");
            }
        }
    }
    let place = Place::filled().await;
    let viewer = place.token("viewer", &["write"]).await;
    let (path, body, _) = &writes()[9];
    let said = place.post(path, &viewer, body).await;
    assert_eq!((&said.body["changed"], said.body["refused"].as_array().unwrap().len()), (&json!(0), 1));
}

#[tokio::test]
async fn each_scope_opens_what_it_names() {
    let place = Place::filled().await;
    for (scopes, read, write, deliver) in [
        (&["read"][..], true, false, false),
        (&["write"][..], false, true, false),
        (&["deliver"][..], false, false, true),
    ] {
        let token = place.token("lead", scopes).await;
        for path in READS {
            let said = place.get(path, &token).await;
            assert_eq!(said.status != StatusCode::FORBIDDEN, read, "{scopes:?} {path}");
            if !read {
                assert_eq!((said.problem(), &said.body["scope"]), ("scope", &json!("read")));
                assert!(said.headers["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
            }
        }
        let mut posts = writes();
        posts.push(("/undo/1", json!({}), [true; 4]));
        posts.push(("/jobs/1/cancel", json!({}), [true; 4]));
        for (path, body, _) in posts {
            let said = place.post(path, &token, &body).await;
            let may = if path == "/scans" { deliver } else { write };
            assert_eq!(
                said.body["type"] != "/api/v1/problems#scope",
                may,
                "{scopes:?} {path}: {}",
                said.text
            );
        }
    }
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let place = Place::filled().await;
    let good = place.token("lead", &["read"]).await;
    let revoked = {
        let token = place.token("lead", &["read"]).await;
        let id = token.split('_').nth(1).unwrap().to_owned();
        let by = wardroom_desk::Actor::Operator;
        crate::tokens::revoke(&place.app.desk, &id, None, &by).await.unwrap().unwrap();
        token
    };
    for wrong in ["", "x", "wrd_x_y", &good[..good.len() - 1], &format!("{good}0"), &revoked, "' OR 1=1 --"] {
        for path in READS {
            let said = place.get(path, wrong).await;
            assert_eq!(
                (said.status, said.problem()),
                (StatusCode::UNAUTHORIZED, "unauthenticated"),
                "{wrong}"
            );
            assert!(said.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        }
    }
    // Neither a cookie nor an address is a token.
    let cookie = super::asking("GET", &format!("/records?access_token={good}"), "")
        .header("cookie", format!("__Host-wardroom={good}"))
        .body(axum::body::Body::empty());
    assert_eq!(place.send(cookie.unwrap()).await.status, StatusCode::UNAUTHORIZED);
    for path in ["/problems", "/openapi.json"] {
        assert_eq!(place.get(path, "").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn jobs_are_their_owners() {
    let place = Place::filled().await;
    let (mine, other) =
        (place.token("lead", &["read", "write"]).await, place.token("lead", &["read", "write"]).await);
    let wide = super::scan(600);
    let sender = place.token("lead", &["deliver"]).await;
    assert_eq!(place.post("/scans", &sender, &wide).await.status, StatusCode::OK);
    let body = json!({"query": "kind:finding", "command": {"do": "label", "add": ["x"]}});
    let said = place.post("/bulk", &mine, &body).await;
    assert_eq!(said.status, StatusCode::ACCEPTED, "{}", said.text);
    let address = said.headers["location"].to_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    assert_eq!(place.get(&address, &other).await.problem(), "not-found");
    assert_eq!(place.post(&format!("{address}/cancel"), &other, &json!({})).await.problem(), "not-found");
    let done = loop {
        let said = place.get(&address, &mine).await;
        if said.body["state"] != "running" {
            break said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((&done.body["state"], &done.body["done"]), (&json!("done"), &json!(600)), "{}", done.text);
    assert_eq!(place.post(&format!("{address}/cancel"), &mine, &json!({})).await.problem(), "not-now");
    let undone = place.post(&format!("/undo/{}", done.body["batch"]), &mine, &json!({})).await;
    assert_eq!(undone.body["changed"], 600, "{}", undone.text);
    let theirs = place.post(&format!("/undo/{}", done.body["batch"]), &other, &json!({})).await;
    assert_eq!(theirs.problem(), "not-allowed");
}
