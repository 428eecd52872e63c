//! What is confidential, for who may not know of it.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use tokio_stream::StreamExt;
use wardroom_desk::{Actor, Change};
use wardroom_web::make_token;

use crate::place::{SECRETS, api, filled, upload};
use crate::support::{Page, Site};

fn silent(page: &Page, path: &str, but: &str) {
    for secret in SECRETS {
        // What was asked for comes back in the search field.
        let text = page.body.replace(but, "");
        let at = text.find(secret).map(|at| {
            text[..at + 10].chars().rev().take(160).collect::<String>().chars().rev().collect::<String>()
        });
        assert!(at.is_none(), "{path} tells of {secret}: {at:?}");
    }
}

#[tokio::test]
async fn nothing_tells_of_a_confidential_record() {
    let (site, digest) = filled().await;
    for role in ["viewer", "developer"] {
        let mut client = site.person(&format!("x{role}"), role).await;
        for path in [
            "/inbox",
            "/queue?q=",
            "/queue?q=kind:review",
            "/queue?q=is:confidential",
            "/queue?q=group:kind",
            "/queue?q=link:related",
            "/queue?q=duplicate_of:x",
            "/board?q=kind:review",
            "/surface",
            "/surface.csv",
            "/metrics?q=kind:review",
            "/metrics.csv?q=kind:review",
            "/metrics",
            "/rules",
            "/rules.csv",
            "/rules/open-redirect",
            "/export.csv",
            "/export.json",
            "/export.sarif",
            "/export.csv?q=kind:review",
            "/export.json?q=is:confidential",
            "/palette?q=the",
            "/palette?q=review",
            "/complete?q=id:",
            "/complete?q=label:",
            "/complete?q=kind:",
            "/complete?q=duplicate_of:",
            "/complete?q=link:",
            "/records/F-2",
            "/records/F-2?all",
            "/records/F-3",
            "/records/A-1",
            "/program",
            "/jobs",
        ] {
            let page = client.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            silent(&page, path, "duplicate_of:x");
        }
        for path in [
            "/records/R-4",
            "/records/R-4?all",
            "/records/r-4",
            "/records/R-04",
            "/records/F-4",
            "/records/P-4",
        ] {
            assert_eq!(client.get(path).await.status, 404, "{path}");
        }
        for id in ["R-4", "F-2", "F-3", "A-1"] {
            assert_eq!(client.get(&format!("/records/{id}/files/{digest}")).await.status, 404, "{id}");
        }
        for (path, fields) in [
            ("/records/R-4/comments", &[("text", "x")][..]),
            ("/records/R-4/set", &[("field.title", "x")]),
            ("/records/R-4/move", &[("transition", "decline")]),
        ] {
            let page = client.post(path, fields).await;
            let none = client.post(&path.replace("R-4", "R-999"), fields).await;
            assert_eq!(page.status, none.status, "{path}");
            assert_eq!(page.body.replace("R-4", ""), none.body.replace("R-999", ""), "{path}");
        }
        let page = client.post("/bulk", &[("id", "R-4"), ("label", "x"), ("labels", "x")]).await;
        silent(&page, "/bulk", "");
        silent(&client.get("/inbox").await, "what /bulk said", "");
    }
    // A developer may not find out by tying to it either.
    let token =
        make_token(&site.desk, "dev", "developer", &["read", "write"], 9, &Actor::Operator).await.unwrap();
    for path in [
        "/records",
        "/records?q=kind:review",
        "/records/F-2",
        "/records/F-2/events",
        "/facets",
        "/complete?q=id:",
        "/metrics",
    ] {
        silent(&api(&site, Method::GET, path, &token, None).await, path, "");
    }
    for (id, path) in
        [("R-4", "/records/R-4"), ("R-4", "/records/R-4/events"), ("R-4", "/records/R-4/evidence")]
    {
        let page = api(&site, Method::GET, path, &token, None).await;
        let none = api(&site, Method::GET, &path.replace(id, "R-999"), &token, None).await;
        assert_eq!((page.status, page.body), (none.status, none.body.replace("R-999", id)), "{path}");
    }
    let body = json!({"ids": ["R-4", "F-2"], "command": {"do": "comment", "text": "x"}});
    let page = api(&site, Method::POST, "/bulk", &token, Some(&body)).await;
    let body = json!({"ids": ["R-999", "F-2"], "command": {"do": "comment", "text": "x"}});
    let none = api(&site, Method::POST, "/bulk", &token, Some(&body)).await;
    let told = |page: &Page, id: &str| page.json()["refused"].to_string().replace(id, "");
    assert_eq!(told(&page, "R-4"), told(&none, "R-999"));
    // Who may see it does.
    let mut ena = site.person("ena", "engineer").await;
    assert!(ena.get("/records/F-2").await.body.contains("R-4"));
    assert!(ena.get("/export.json").await.body.contains("quietvault"));
}

#[tokio::test]
async fn that_a_confidential_record_was_read_is_written_down() {
    let (site, digest) = filled().await;
    let reads = async || {
        let events = site.desk.store().timeline(4, 0, 1_000).await.unwrap();
        events.iter().filter(|e| matches!(e.change, Change::Read)).count()
    };
    let mut ena = site.person("ena", "engineer").await;
    let before = reads().await;
    assert_eq!(ena.get("/records/R-4").await.status, 200);
    assert_eq!(reads().await, before + 1);
    let page = ena.get(&format!("/records/R-4/files/{digest}")).await;
    assert_eq!((page.status.as_u16(), page.body.as_str()), (200, "the murmur of it"));
    assert_eq!(reads().await, before + 2, "its file too");
}

/// The names that a stream of changes tells, while something is done.
async fn heard(site: &Site, client: &crate::support::Client<'_>, done: impl AsyncFnOnce()) -> String {
    let request = client.request(Method::GET, "/live").body(Body::empty()).unwrap();
    let mut stream = site.stream_of(request).await.into_data_stream();
    done().await;
    let mut heard = String::new();
    while let Ok(Some(Ok(bytes))) =
        tokio::time::timeout(std::time::Duration::from_millis(300), stream.next()).await
    {
        heard.push_str(&String::from_utf8_lossy(&bytes));
    }
    heard
}

#[tokio::test]
async fn live_changes_tell_only_who_may_know_as_long_as_they_may() {
    let (site, _) = filled().await;
    let mut boss = site.person("boss", "admin").await;
    let ena = site.person("ena", "engineer").await;
    let dev = site.person("dev", "developer").await;
    let mut lea = site.enter("lea").await;
    let told = heard(&site, &dev, async || {
        lea.post("/records/R-4/comments", &[("text", "x")]).await;
        lea.post("/records/F-3/comments", &[("text", "x")]).await;
    })
    .await;
    assert!(told.contains("F-3") && !told.contains("R-4"), "{told}");
    let told = heard(&site, &ena, async || {
        lea.post("/records/R-4/comments", &[("text", "x")]).await;
    })
    .await;
    assert!(told.contains("R-4"), "{told}");
    let told = heard(&site, &ena, async || {
        // She is lowered while she listens.
        boss.post("/admin/people/ena/role", &[("role", "viewer")]).await;
        lea.post("/records/R-4/comments", &[("text", "y")]).await;
        lea.post("/records/F-3/comments", &[("text", "y")]).await;
    })
    .await;
    assert!(!told.contains("R-4") && told.contains("F-3"), "{told}");
    let told = heard(&site, &dev, async || {
        boss.post("/admin/people/dev/move", &[("transition", "suspend"), ("because", "x")]).await;
        lea.post("/records/F-3/comments", &[("text", "z")]).await;
    })
    .await;
    assert!(!told.contains("F-3"), "who is suspended hears no more: {told}");
}

#[tokio::test]
async fn who_may_less_takes_back_less() {
    let (site, _) = filled().await;
    let mut boss = site.person("boss", "admin").await;
    let mut ena = site.person("ena", "engineer").await;
    ena.post("/records/F-3/set", &[("field.fixed_in", "v1")]).await;
    let plain = ena.get("/inbox").await.hidden("batch").unwrap().to_owned();
    ena.post("/records/R-4/set", &[("field.title", "quietvault again")]).await;
    let secret = ena.get("/inbox").await.hidden("batch").unwrap().to_owned();
    boss.post("/admin/people/ena/role", &[("role", "viewer")]).await;
    for batch in [&plain, &secret] {
        let page = ena.post("/undo", &[("batch", batch)]).await;
        assert_eq!(page.status, 403, "a viewer takes nothing back");
        silent(&page, "/undo", "");
    }
    // Nor does somebody who may edit nothing confidential hear of it.
    boss.post("/admin/people/ena/role", &[("role", "developer")]).await;
    let page = ena.post("/undo", &[("batch", &secret)]).await;
    silent(&page, "/undo", "");
    silent(&ena.get("/inbox").await, "what /undo said", "");
    for batch in ["0", "-1", "18446744073709551615", "9223372036854775808", "x", "1e3"] {
        let page = boss.post("/undo", &[("batch", batch)]).await;
        assert!(page.status.is_client_error(), "{batch}: {}", page.status);
    }
}

#[tokio::test]
async fn a_question_of_sameness_is_no_way_round_a_role() {
    let (site, _) = filled().await;
    let engine = wardroom_desk::Caller::engine(Actor::Policy);
    let to = wardroom_desk::RecordId::new("F", 2);
    let change = Change::Linked { relation: "same_as".to_owned(), to, back: false };
    site.desk.note(&engine, 3, change).await.unwrap();
    for role in ["viewer", "developer"] {
        let mut client = site.person(role, role).await;
        let before = site.desk.store().head().await.unwrap();
        for answer in ["yes", "no"] {
            let page = client.post("/records/F-3/same", &[("to", "F-2"), ("answer", answer)]).await;
            assert_eq!(page.status, 403, "{role} {answer}: {}", page.body);
        }
        assert_eq!(site.desk.store().head().await.unwrap(), before, "{role} changed something");
    }
}

#[tokio::test]
async fn a_file_is_only_where_it_was_put() {
    let (site, digest) = filled().await;
    let mut dev = site.person("dev", "developer").await;
    // The same bytes put elsewhere are one's own; they show nothing of where else they are.
    let page = upload(&mut dev, "F-3", "mine.txt", "text/html", b"the murmur of it").await;
    assert_eq!(page.status, 303);
    assert_eq!(dev.get(&format!("/records/F-3/files/{digest}")).await.status, 200);
    assert_eq!(dev.get(&format!("/records/R-4/files/{digest}")).await.status, 404);
    assert_eq!(dev.get(&format!("/records/F-2/files/{digest}")).await.status, 404);
    // Who may not put files with records does not fill the disk either.
    let mut vic = site.person("vic", "viewer").await;
    let page = upload(&mut vic, "F-3", "fill.bin", "text/plain", b"this is kept nowhere").await;
    assert_eq!(page.status, 403);
    // SHA-256 of those bytes.
    let digest = "076d1c49fe4a07926aa07e0069477ea5e473582386b8e0fe213bcf56ecc4d21d";
    assert!(site.desk.store().file(digest).await.unwrap().is_none());
}
