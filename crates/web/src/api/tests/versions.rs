//! `If-Match`, and pages.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Place, Said, json_request};

async fn matched(place: &Place, token: &str, tag: &str, path: &str, body: &Value) -> Said {
    let request = json_request(path, token).header("if-match", tag);
    place.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_saw_one_version_one_is_heard() {
    let place = std::sync::Arc::new(Place::filled().await);
    let token = place.token("engineer", &["read", "write"]).await;
    let tag = place.get("/records/F-3", &token).await.headers["etag"].to_str().unwrap().to_owned();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (place, token, tag) = (place.clone(), token.clone(), tag.clone());
            tokio::spawn(async move {
                let body = json!({"do": "set", "fields": {"title": format!("Title {n}")}});
                matched(&place, &token, &tag, "/records/F-3/commands", &body).await
            })
        })
        .collect();
    let (mut heard, mut stale) = (0, 0);
    for task in tasks {
        let said = task.await.unwrap();
        match said.status {
            StatusCode::OK => {
                heard += 1;
                assert_ne!(said.headers["etag"], tag.as_str());
            }
            _ => {
                stale += 1;
                assert_eq!((said.status, said.problem()), (StatusCode::PRECONDITION_FAILED, "stale"));
                assert!(said.body["version"].as_u64() > said.body["seen"].as_u64());
            }
        }
    }
    assert_eq!((heard, stale), (1, 7));
    let comment = json!({"do": "comment", "text": "Hm"});
    for tag in ["3", "\"x\"", "W/\"3\"", "\"1\", \"2\"", "\"99999999999\""] {
        let said = matched(&place, &token, tag, "/records/F-3/commands", &comment).await;
        assert_eq!(said.problem(), "malformed", "{tag}");
    }
    assert_eq!(matched(&place, &token, "*", "/records/F-3/commands", &comment).await.status, StatusCode::OK);
}

#[tokio::test]
async fn that_others_read_a_confidential_record_is_no_change() {
    let place = Place::filled().await;
    let token = place.token("engineer", &["read", "write"]).await;
    let first = place.get("/records/R-5", &token).await;
    let second = place.get("/records/R-5", &token).await;
    assert_ne!(first.headers["etag"], second.headers["etag"], "reading is written down");
    let tag = first.headers["etag"].to_str().unwrap();
    let body = json!({"do": "set", "fields": {"title": "Quiet"}});
    let said = matched(&place, &token, tag, "/records/R-5/commands", &body).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text);
    assert_eq!(matched(&place, &token, tag, "/records/R-5/commands", &body).await.problem(), "stale");
}

#[tokio::test]
async fn pages_lead_there_and_back() {
    let place = Place::filled().await;
    let token = place.token("engineer", &["read", "write"]).await;
    for n in 0..7 {
        let body = json!({"kind": "finding", "fields": {"title": format!("No {n}"), "severity": "low"}});
        assert_eq!(place.post("/records", &token, &body).await.status, StatusCode::CREATED);
    }
    let ids = |said: &Said| -> Vec<String> {
        let records = said.body["records"].as_array().unwrap();
        records.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    };
    let local = |address: &Value| address.as_str().map(|a| a.strip_prefix("/api/v1").unwrap().to_owned());
    let (mut met, mut pages) = (Vec::new(), Vec::new());
    let mut address = Some("/records?q=kind%3Afinding&sort=-id&limit=4".to_owned());
    while let Some(here) = address {
        let said = place.get(&here, &token).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        met.extend(ids(&said));
        assert_eq!(said.body["total"], 9);
        address = local(&said.body["next"]);
        let link = said.headers.get("link").map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!(link.contains("rel=\"next\""), address.is_some());
        pages.push(said);
    }
    assert_eq!((met.len(), pages.len()), (9, 3));
    let back = place.get(&local(&pages[1].body["previous"]).unwrap(), &token).await;
    assert_eq!(ids(&back), ids(&pages[0]));
}

#[tokio::test]
async fn pages_that_were_tampered_with_are_refused() {
    let place = Place::filled().await;
    let token = place.token("viewer", &["read"]).await;
    let said = place.get("/records?limit=1&sort=id", &token).await;
    let next = said.body["next"].as_str().unwrap();
    let cursor = next.rsplit_once("page=").unwrap().1;
    assert_eq!(place.get(&format!("/records?sort=id&page={cursor}"), &token).await.status, StatusCode::OK);
    for page in [
        "x",
        "a.id",
        "a.due.0.0.1",
        "c.id.0.0.1",
        "a.id.0.0.1.2",
        "a.id.0.0.-1",
        "a.id.0.0.g",
        "a.id.0.0.11111111111111111",
        "a.id.+0.0.1",
        "%00",
        "a.id.0.0.1%27%20OR%201=1",
        "",
    ] {
        let said = place.get(&format!("/records?sort=id&page={page}"), &token).await;
        assert_eq!(said.problem(), "malformed", "{page}");
    }
    // A place that nobody was given is one like another, at its ends too.
    for page in ["a.id.ffffffffffffffff.8000000000000000.7fffffffffffffff", "b.id.7fffffffffffffff.0.0"] {
        let said = place.get(&format!("/records?sort=id&page={page}"), &token).await;
        assert_eq!(said.status, StatusCode::OK, "{}", said.text);
        assert!(said.body["total"].as_u64().unwrap() < 5, "the confidential one is not counted");
    }
}
