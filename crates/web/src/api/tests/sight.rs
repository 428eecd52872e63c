//! What is confidential is not there.

use axum::http::StatusCode;
use serde_json::{Value, json};
use wardroom_desk::{Actor, Caller, Change, RecordId};

use super::Place;

/// A desk whose F-3 is tied to the confidential R-5, and names it wherever it can.
async fn tied() -> Place {
    let place = Place::filled().await;
    let engine = Caller::engine(Actor::Policy);
    let to = RecordId::new("R", 5);
    let note = |no, change| place.app.desk.note(&engine, no, change);
    note(3, Change::Linked { relation: "related".to_owned(), to: to.clone(), back: false }).await.unwrap();
    note(5, Change::Linked { relation: "related".to_owned(), to: RecordId::new("F", 3), back: true })
        .await
        .unwrap();
    let fields = [("duplicate_of".to_owned(), json!("R-5"))].into();
    let because = "follows from R-5, as ever".to_owned();
    note(3, Change::Set { fields, before: Default::default(), because }).await.unwrap();
    place
}

#[tokio::test]
async fn nothing_tells_of_a_confidential_record() {
    let place = tied().await;
    let token = place.token("developer", &["read", "write"]).await;
    for path in [
        "/records",
        "/records?q=quiet",
        "/records?q=kind:review",
        "/records?q=is:confidential",
        "/records?q=id:R-5",
        "/records?q=link:related",
        "/records/F-3",
        "/records/F-3/events",
        "/records/F-3/evidence",
        "/facets?fields=kind,state,link",
        "/facets?q=kind:review",
        "/complete?q=kind:",
        "/complete?q=id:",
        "/metrics?q=kind:review",
        "/metrics",
    ] {
        let said = place.get(path, &token).await;
        assert_eq!(said.status, StatusCode::OK, "{path}: {}", said.text);
        for secret in ["R-5", "vault", "Quiet"] {
            assert!(!said.text.contains(secret), "{path}: {}", said.text);
        }
    }
    let count = |said: &Value| said["total"].as_u64().unwrap();
    assert_eq!(count(&place.get("/records?q=kind:review", &token).await.body), 0);
    assert_eq!(count(&place.get("/records", &token).await.body), 4);
    let kinds = place.get("/facets?fields=kind", &token).await;
    assert!(!kinds.text.contains("review"), "{}", kinds.text);
    // What is there and what is not are told in the same words.
    let lead = place.token("lead", &["read", "write"]).await;
    assert_eq!(count(&place.get("/records", &lead).await.body), 5);
    let there = place.get("/records/F-3", &lead).await;
    assert!(there.text.contains("R-5"), "{}", there.text);
    assert!(place.get("/records/F-3/events", &lead).await.text.contains("follows from R-5"));
}

/// Two answers, without the names that were asked for.
async fn same(place: &Place, token: &str, path: &str, body: Option<Value>) {
    let ask = async |id: &str| {
        let path = path.replace("ID", id);
        let said = match &body {
            None => place.get(&path, token).await,
            Some(body) => {
                let body: Value = serde_json::from_str(&body.to_string().replace("ID", id)).unwrap();
                place.post(&path, token, &body).await
            }
        };
        (said.status, said.text.replace(id, "ID"))
    };
    let (hidden, missing) = (ask("R-5").await, ask("R-999").await);
    assert_eq!(hidden, missing, "{path} {body:?}");
}

#[tokio::test]
async fn a_hidden_record_is_answered_like_one_that_is_not_there() {
    let place = tied().await;
    for role in ["developer", "viewer"] {
        let token = place.token(role, &["read", "write"]).await;
        for path in ["/records/ID", "/records/ID/events", "/records/ID/evidence"] {
            same(&place, &token, path, None).await;
        }
        let said = place.get("/records/R-5", &token).await;
        assert_eq!((said.status, said.problem()), (StatusCode::NOT_FOUND, "not-found"));
        for body in [
            json!({"do": "comment", "text": "Hm"}),
            json!({"do": "move", "transition": "start"}),
            json!({"do": "set", "fields": {"title": "x"}}),
        ] {
            same(&place, &token, "/records/ID/commands", Some(body.clone())).await;
            same(&place, &token, "/bulk", Some(json!({"ids": ["ID"], "command": body}))).await;
        }
        let link = json!({"do": "link", "relation": "related", "to": "ID"});
        same(&place, &token, "/records/F-3/commands", Some(link)).await;
        let fields = json!({"do": "set", "fields": {"duplicate_of": "ID"}});
        same(&place, &token, "/records/F-3/commands", Some(fields)).await;
    }
    // What others did to it is not there to be undone, nor told of.
    let token = place.token("developer", &["read", "write"]).await;
    let batch = place.app.desk.store().timeline(5, 0, 1).await.unwrap()[0].batch;
    let said = place.post(&format!("/undo/{batch}"), &token, &json!({})).await;
    let none = place.post("/undo/99999", &token, &json!({})).await;
    assert_eq!((said.status, &said.text), (none.status, &none.text));
}

#[tokio::test]
async fn reading_one_is_written_down() {
    let place = Place::filled().await;
    let token = place.token("engineer", &["read"]).await;
    for path in ["/records/R-5", "/records/R-5/events", "/records/R-5/evidence"] {
        place.get(path, &token).await;
    }
    let events = place.app.desk.store().timeline(5, 0, 100).await.unwrap();
    let reads: Vec<_> = events.iter().filter(|e| matches!(e.change, Change::Read)).collect();
    assert_eq!(reads.len(), 3);
    assert!(reads.iter().all(|e| matches!(&e.actor, Actor::Token(_))));
}
