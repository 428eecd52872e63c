//! Idempotency keys.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Place, Said, json_request, scan};

async fn keyed(place: &Place, path: &str, token: &str, key: &str, body: &Value) -> Said {
    let request = json_request(path, token).header("idempotency-key", key);
    place.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn new(title: &str) -> Value {
    json!({"kind": "finding", "fields": {"title": title, "severity": "low"}})
}

#[tokio::test]
async fn the_same_again_is_done_once_and_answered_the_same() {
    let place = Place::filled().await;
    let token = place.token("engineer", &["read", "write", "deliver"]).await;
    let first = keyed(&place, "/records", &token, "a", &new("One")).await;
    let again = keyed(&place, "/records", &token, "a", &new("One")).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    for name in ["location", "etag", "content-type"] {
        assert_eq!(first.headers[name], again.headers[name]);
    }
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = keyed(&place, "/records", &token, "a", &new("Two")).await;
    assert_eq!((other.status, other.problem()), (StatusCode::UNPROCESSABLE_ENTITY, "key-reused"));
    let elsewhere = keyed(&place, "/records/F-3/commands", &token, "a", &new("One")).await;
    assert_eq!(elsewhere.problem(), "key-reused");
    // Another key, or another's, is another request.
    let second = keyed(&place, "/records", &token, "b", &new("One")).await;
    assert_ne!(second.body["record"]["id"], first.body["record"]["id"]);
    let stranger = place.token("lead", &["write"]).await;
    let third = keyed(&place, "/records", &stranger, "a", &new("One")).await;
    assert_ne!(third.body["record"]["id"], first.body["record"]["id"]);
    // A scan as well: the second answer is the first one's, not that nothing changed.
    let first = keyed(&place, "/scans", &token, "s", &scan(3)).await;
    let again = keyed(&place, "/scans", &token, "s", &scan(3)).await;
    assert_eq!(first.body["unchanged"], false);
    assert_eq!(again.text, first.text);
}

#[tokio::test]
async fn what_was_refused_can_be_mended() {
    let place = Place::filled().await;
    let token = place.token("engineer", &["write"]).await;
    let wrong = json!({"kind": "finding", "fields": {"severity": "low"}});
    let refused = keyed(&place, "/records", &token, "a", &wrong).await;
    assert_eq!(refused.problem(), "invalid", "{}", refused.text);
    assert_eq!(keyed(&place, "/records", &token, "a", &new("One")).await.status, StatusCode::CREATED);
    for key in ["", &"k".repeat(201), "ü"] {
        assert_eq!(keyed(&place, "/records", &token, key, &new("One")).await.problem(), "malformed", "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_done() {
    let place = std::sync::Arc::new(Place::filled().await);
    let token = place.token("engineer", &["read", "write"]).await;
    let before = place.get("/records?q=kind:finding", &token).await.body["total"].as_u64().unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (place, token) = (place.clone(), token.clone());
            tokio::spawn(async move { keyed(&place, "/records", &token, "a", &new("One")).await })
        })
        .collect();
    let mut done = Vec::new();
    for task in tasks {
        let said = task.await.unwrap();
        if said.status == StatusCode::CREATED {
            done.push(said.text);
        } else {
            assert_eq!((said.status, said.problem()), (StatusCode::CONFLICT, "running"));
            assert_eq!(said.headers["retry-after"], "2");
        }
    }
    assert!(!done.is_empty() && done.iter().all(|text| *text == done[0]));
    let after = place.get("/records?q=kind:finding", &token).await.body["total"].as_u64().unwrap();
    assert_eq!(after, before + 1);
}
