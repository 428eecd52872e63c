//! Every way in, for everybody.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, header};
use wardroom_desk::Actor;
use wardroom_web::make_token;

use crate::place::{api, filled};
use crate::support::{Client, Page};

/// What a role gets; in the order viewer, developer, engineer, lead, administrator.
pub enum Gets {
    /// No session is needed: everybody gets this.
    Open(u16),
    /// Everybody who is signed in.
    All(u16),
    /// Each role its own.
    Each([u16; 5]),
}

use Gets::{All, Each, Open};

const ROLES: [&str; 5] = ["viewer", "developer", "engineer", "lead", "admin"];
/// What only administrators get.
const fn admin(status: u16) -> Gets {
    Each([403, 403, 403, 403, status])
}
/// What changes records.
const SECURITY: Gets = Each([403, 403, 303, 303, 303]);
/// What adds to records.
const TALKING: Gets = Each([403, 303, 303, 303, 303]);

type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], Gets);

/// Every route of the pages: method, route, an address, what is sent, what comes back.
pub const PAGES: &[Row] = &[
    ("GET", "/", "/", &[], Open(303)),
    ("GET", "/static/{stamp}/{name}", "/static/x/wardroom.css", &[], Open(200)),
    ("GET", "/favicon.ico", "/favicon.ico", &[], Open(200)),
    ("GET", "/inbox", "/inbox", &[], All(200)),
    ("GET", "/queue", "/queue", &[], All(200)),
    ("GET", "/board", "/board", &[], All(200)),
    ("GET", "/surface", "/surface", &[], All(200)),
    ("GET", "/surface.csv", "/surface.csv", &[], All(200)),
    ("GET", "/metrics", "/metrics", &[], All(200)),
    ("GET", "/metrics.csv", "/metrics.csv", &[], All(200)),
    ("GET", "/rules", "/rules", &[], All(200)),
    ("GET", "/rules.csv", "/rules.csv", &[], All(200)),
    ("GET", "/rules/{id}", "/rules/open-redirect", &[], All(200)),
    ("GET", "/program", "/program", &[], All(200)),
    ("GET", "/program/kinds/{kind}", "/program/kinds/finding", &[], All(200)),
    ("GET", "/program/files/{*path}", "/program/files/kinds/finding.yaml", &[], All(200)),
    ("GET", "/export.csv", "/export.csv", &[], All(200)),
    ("GET", "/export.json", "/export.json", &[], All(200)),
    ("GET", "/export.sarif", "/export.sarif", &[], All(200)),
    ("GET", "/palette", "/palette?q=a", &[], All(200)),
    ("GET", "/complete", "/complete?q=a", &[], All(200)),
    ("GET", "/cvss", "/cvss?vector=x", &[], All(200)),
    ("GET", "/live", "/live", &[], All(200)),
    ("GET", "/jobs", "/jobs", &[], All(200)),
    ("GET", "/jobs/{id}", "/jobs/1", &[], Each([404, 404, 404, 404, 200])),
    ("POST", "/jobs/{id}/cancel", "/jobs/1/cancel", &[], Each([404, 404, 404, 404, 303])),
    ("GET", "/records/{id}", "/records/F-2", &[], All(200)),
    ("GET", "/records/{id}", "/records/R-4", &[], Each([404, 404, 200, 200, 200])),
    ("GET", "/records/new", "/records/new", &[], Each([403, 200, 200, 200, 200])),
    (
        "POST",
        "/records/new",
        "/records/new",
        &[("kind", "finding"), ("field.title", "x")],
        Each([403, 403, 303, 303, 303]),
    ),
    (
        "POST",
        "/records/new",
        "/records/new",
        &[("kind", "person"), ("field.title", "x"), ("field.login", "x"), ("field.role", "admin")],
        All(403),
    ),
    ("POST", "/records/{id}/set", "/records/F-3/set", &[("field.fixed_in", "v1")], SECURITY),
    (
        "POST",
        "/records/{id}/set",
        "/records/R-4/set",
        &[("field.title", "x")],
        Each([404, 404, 303, 303, 303]),
    ),
    ("POST", "/records/{id}/set", "/records/P-6/set", &[("field.role", "admin")], admin(303)),
    (
        "POST",
        "/records/{id}/cvss",
        "/records/F-3/cvss",
        &[("vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")],
        SECURITY,
    ),
    ("POST", "/records/{id}/comments", "/records/F-3/comments", &[("text", "Hm")], TALKING),
    (
        "POST",
        "/records/{id}/comments",
        "/records/R-4/comments",
        &[("text", "Hm")],
        Each([404, 404, 303, 303, 303]),
    ),
    ("POST", "/records/{id}/labels", "/records/F-3/labels", &[("labels", "x")], SECURITY),
    (
        "POST",
        "/records/{id}/labels",
        "/records/R-4/labels",
        &[("labels", "x")],
        Each([404, 404, 303, 303, 303]),
    ),
    ("POST", "/records/{id}/link", "/records/F-3/link", &[("relation", "related"), ("to", "F-2")], SECURITY),
    (
        "POST",
        "/records/{id}/unlink",
        "/records/F-3/unlink",
        &[("relation", "related"), ("to", "F-2")],
        SECURITY,
    ),
    (
        "POST",
        "/records/{id}/same",
        "/records/F-3/same",
        &[("to", "F-2"), ("answer", "yes")],
        Each([403, 403, 409, 409, 409]),
    ),
    (
        "POST",
        "/records/{id}/same",
        "/records/R-4/same",
        &[("to", "F-2"), ("answer", "yes")],
        Each([404, 404, 409, 409, 409]),
    ),
    (
        "POST",
        "/records/{id}/move",
        "/records/F-3/move",
        &[("transition", "dismiss"), ("field.dismissal", "false_positive"), ("because", "x")],
        SECURITY,
    ),
    (
        "POST",
        "/records/{id}/move",
        "/records/R-4/move",
        &[("transition", "decline"), ("because", "x")],
        Each([404, 404, 303, 303, 303]),
    ),
    (
        "POST",
        "/records/{id}/move",
        "/records/P-6/move",
        &[("transition", "suspend"), ("because", "x")],
        admin(303),
    ),
    ("POST", "/records/{id}/files", "/records/F-3/files", &[], TALKING),
    ("POST", "/records/{id}/files", "/records/R-4/files", &[], Each([404, 404, 303, 303, 303])),
    (
        "GET",
        "/records/{id}/files/{digest}",
        "/records/R-4/files/DIGEST",
        &[],
        Each([404, 404, 200, 200, 200]),
    ),
    ("GET", "/records/{id}/files/{digest}", "/records/F-2/files/DIGEST", &[], All(404)),
    ("POST", "/undo", "/undo", &[("batch", "1")], Each([403, 403, 403, 403, 303])),
    ("POST", "/bulk", "/bulk", &[("id", "F-3"), ("label", "x")], All(303)),
    ("POST", "/views", "/views", &[("name", "x"), ("search", "is:open")], All(303)),
    ("POST", "/views/remove", "/views/remove", &[("search", "is:open")], All(303)),
    ("GET", "/admin", "/admin", &[], admin(200)),
    ("POST", "/admin/audit", "/admin/audit", &[], admin(303)),
    ("GET", "/admin/people", "/admin/people", &[], admin(200)),
    (
        "POST",
        "/admin/people",
        "/admin/people",
        &[("login", "new"), ("name", "New"), ("role", "admin")],
        admin(200),
    ),
    ("POST", "/admin/people/{login}/role", "/admin/people/pia/role", &[("role", "admin")], admin(303)),
    (
        "POST",
        "/admin/people/{login}/move",
        "/admin/people/pia/move",
        &[("transition", "restore"), ("because", "x")],
        admin(303),
    ),
    ("POST", "/admin/people/{login}/end-sessions", "/admin/people/pia/end-sessions", &[], admin(303)),
    ("POST", "/admin/people/{login}/link", "/admin/people/pia/link", &[], admin(200)),
    (
        "POST",
        "/admin/people/{login}/second-factor",
        "/admin/people/pia/second-factor",
        &[("must", "no")],
        admin(303),
    ),
    ("GET", "/admin/tokens", "/admin/tokens", &[], admin(200)),
    (
        "POST",
        "/admin/tokens",
        "/admin/tokens",
        &[("name", "x"), ("role", "lead"), ("days", "9"), ("scope", "read")],
        admin(200),
    ),
    ("POST", "/admin/tokens/revoke", "/admin/tokens/revoke", &[("token", "x")], admin(404)),
    ("POST", "/admin/sessions/end", "/admin/sessions/end", &[("session", "x")], admin(404)),
    ("GET", "/account", "/account", &[], All(200)),
    ("POST", "/account/password", "/account/password", &[("old", "x")], All(422)),
    ("POST", "/account/totp/begin", "/account/totp/begin", &[], All(303)),
    ("POST", "/account/totp", "/account/totp", &[("proof", "x"), ("code", "1")], All(422)),
    ("POST", "/account/totp/off", "/account/totp/off", &[("proof", "x")], All(422)),
    ("POST", "/account/codes", "/account/codes", &[("proof", "x")], All(422)),
    ("POST", "/account/sessions/end", "/account/sessions/end", &[("session", "x")], All(404)),
    ("POST", "/account/sessions/end-others", "/account/sessions/end-others", &[], All(303)),
    ("POST", "/account/tokens", "/account/tokens", &[("proof", "x")], All(422)),
    ("POST", "/account/tokens/revoke", "/account/tokens/revoke", &[("token", "x")], All(404)),
    ("POST", "/account/theme", "/account/theme", &[("theme", "dark")], All(303)),
    ("GET", "/setup", "/setup?key=x", &[], Open(403)),
    ("POST", "/setup", "/setup", &[("key", "x")], Open(403)),
    ("GET", "/join", "/join?key=x", &[], Open(403)),
    ("POST", "/join", "/join", &[("key", "x")], Open(403)),
    ("GET", "/recover", "/recover?key=x", &[], Open(403)),
    ("POST", "/recover", "/recover", &[("key", "x")], Open(403)),
    ("GET", "/enter", "/enter?key=x", &[], Open(403)),
    ("GET", "/sign-in/code", "/sign-in/code", &[], Open(303)),
    ("POST", "/sign-in/code", "/sign-in/code", &[("code", "1")], Open(303)),
    ("GET", "/sign-in", "/sign-in", &[], Open(0)),
    ("POST", "/sign-in", "/sign-in", &[("name", "x"), ("password", "y")], Open(422)),
    // The last: it ends the session.
    ("POST", "/sign-out", "/sign-out", &[], All(303)),
];

/// Every route of the API: method, route, an address, the scope, and whether anybody may.
pub const API: &[(&str, &str, &str, &str)] = &[
    ("POST", "/scans", "/scans", "deliver"),
    ("GET", "/records", "/records", "read"),
    ("POST", "/records", "/records", "write"),
    ("GET", "/records/{id}", "/records/F-2", "read"),
    ("GET", "/records/{id}/events", "/records/F-2/events", "read"),
    ("GET", "/records/{id}/evidence", "/records/F-2/evidence", "read"),
    ("POST", "/records/{id}/commands", "/records/F-2/commands", "write"),
    ("POST", "/bulk", "/bulk", "write"),
    ("POST", "/undo/{batch}", "/undo/1", "write"),
    ("GET", "/facets", "/facets", "read"),
    ("GET", "/complete", "/complete?q=a", "read"),
    ("GET", "/metrics", "/metrics", "read"),
    ("GET", "/surface/{*repository}", "/surface/shop/web", "read"),
    ("GET", "/program", "/program", "read"),
    ("GET", "/kinds/{kind}", "/kinds/finding", "read"),
    ("GET", "/rules", "/rules", "read"),
    ("GET", "/jobs/{id}", "/jobs/1", "read"),
    ("POST", "/jobs/{id}/cancel", "/jobs/1/cancel", "write"),
    ("GET", "/audit/head", "/audit/head", "read"),
    ("GET", "/openapi.json", "/openapi.json", ""),
    ("GET", "/problems", "/problems", ""),
];

/// The routes that a folder of the source declares.
fn declared(folder: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        if folder.is_file() {
            files.push(folder);
            continue;
        }
        folders.extend(std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()));
    }
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for rest in text.split(".route(").skip(1) {
            let (path, rest) = rest.trim_start().strip_prefix('"').unwrap().split_once('"').unwrap();
            let mut depth = 1;
            let end = rest.find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let handlers = &rest[..end.unwrap()];
            for method in ["get", "post", "put", "delete", "patch", "any", "on"] {
                let word = |at: usize| {
                    !handlers[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                };
                if handlers.match_indices(&format!("{method}(")).any(|(at, _)| word(at)) {
                    found.insert((method.to_uppercase(), path.to_owned()));
                }
            }
        }
    }
    found
}

#[test]
fn the_tables_have_every_route() {
    let rows = PAGES.iter().map(|r| (r.0.to_owned(), r.1.to_owned())).collect::<BTreeSet<_>>();
    let mut pages = declared("src/pages");
    pages.extend(declared("src/assets.rs"));
    assert_eq!(rows, pages);
    let rows = API.iter().map(|r| (r.0.to_owned(), r.1.to_owned())).collect::<BTreeSet<_>>();
    assert_eq!(rows, declared("src/api"));
    let source =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app.rs")).unwrap();
    assert!(
        !source.contains(".route(") && !source.contains("nest_service"),
        "routes stand in pages, api and assets"
    );
}

pub async fn asked(client: &mut Client<'_>, row: &Row, digest: &str) -> Page {
    let path = row.2.replace("DIGEST", digest);
    if row.0 == "GET" {
        if row.1 == "/live" {
            let request = client.request(Method::GET, &path).body(Body::empty()).unwrap();
            let (status, headers) = client.site.head_of(request).await;
            return Page { status, headers, body: String::new() };
        }
        client.get(&path).await
    } else if row.1.ends_with("/files") {
        let id = path.split('/').nth(2).unwrap().to_owned();
        crate::place::upload(client, &id, "a.txt", "text/plain", path.as_bytes()).await
    } else {
        client.post(&path, row.3).await
    }
}

#[tokio::test]
async fn each_role_gets_what_it_may() {
    let mut wrong = Vec::new();
    for (at, role) in ROLES.into_iter().enumerate() {
        let (site, digest) = filled().await;
        site.desk.jobs.start("somebody", "Label 600 records", site.now());
        // P-6 is who is tried to be changed.
        let pia = site.add("pia", "viewer").await;
        assert_eq!(pia.no, 6);
        let mut other = site.person("boss", "admin").await;
        let done = other.post("/admin/people/pia/move", &[("transition", "suspend"), ("because", "x")]).await;
        assert_eq!(done.status, 303);
        let mut client = site.person("ben", role).await;
        for row in PAGES {
            if row.2 == "/records/P-6/move" {
                other.post("/admin/people/pia/move", &[("transition", "restore"), ("because", "x")]).await;
            }
            let page = asked(&mut client, row, &digest).await;
            let wanted = match row.4 {
                Open(0) => 303,
                Open(status) | All(status) => status,
                Each(statuses) => statuses[at],
            };
            let out = page.status == 303 && page.location().starts_with("/sign-in?");
            if page.status.as_u16() != wanted || out {
                wrong.push(format!(
                    "{role} {} {} {:?}: {} for {wanted}, {}",
                    row.0,
                    row.2,
                    row.3,
                    page.status,
                    page.location()
                ));
            }
        }
        assert_eq!(site.desk.read().people.get("ben").unwrap().role, role, "nobody raises themselves");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nobody_and_who_is_suspended_get_nothing() {
    let (site, digest) = filled().await;
    let mut boss = site.person("boss", "admin").await;
    let ben = site.person("ben", "lead").await;
    let done = boss.post("/admin/people/ben/move", &[("transition", "suspend"), ("because", "x")]).await;
    assert_eq!(done.status, 303);
    let mut forged = site.browser();
    forged.cookies = vec![("__Host-wardroom".to_owned(), "0".repeat(64))];
    let before = site.desk.store().head().await.unwrap();
    for (who, client) in [("nobody", site.browser()), ("suspended", ben), ("forged", forged)] {
        for row in PAGES {
            let mut client = client.clone();
            let page = asked(&mut client, row, &digest).await;
            match row.4 {
                Open(status) => assert_eq!(
                    page.status.as_u16(),
                    if status == 0 { 200 } else { status },
                    "{who} {}",
                    row.2
                ),
                _ => {
                    assert_eq!(page.status, 303, "{who} {} {}", row.0, row.2);
                    assert!(
                        page.location().starts_with("/sign-in?next="),
                        "{who} {}: {}",
                        row.2,
                        page.location()
                    );
                    assert!(page.body.is_empty(), "{who} {}", row.2);
                }
            }
        }
    }
    assert_eq!(site.desk.store().head().await.unwrap(), before, "and nothing was written");
}

#[tokio::test]
async fn a_token_opens_its_scope_and_no_cookie_opens_the_api() {
    let (site, _) = filled().await;
    let lead = site.person("lena", "lead").await;
    let make = async |scope: &str| {
        make_token(&site.desk, &format!("t-{scope}"), "lead", &[scope], 9, &Actor::Operator).await.unwrap()
    };
    let tokens =
        [("read", make("read").await), ("write", make("write").await), ("deliver", make("deliver").await)];
    for (method, _, path, scope) in API {
        let method: Method = method.parse().unwrap();
        let request = lead.request(method.clone(), &format!("/api/v1{path}")).body(Body::empty()).unwrap();
        let with_cookie = site.send(request).await.status;
        assert_eq!(with_cookie, if scope.is_empty() { 200 } else { 401 }, "{path} with a cookie");
        for wrong in
            ["", "wrd_", "x", &"y".repeat(500), &tokens[0].1.replace("wrd_", "wrd_0"), &lead.cookies[0].1]
        {
            let page = api(&site, method.clone(), path, wrong, None).await;
            assert_eq!(page.status, if scope.is_empty() { 200 } else { 401 }, "{path} with {wrong}");
        }
        for (has, token) in &tokens {
            let page = api(&site, method.clone(), path, token, None).await;
            if !scope.is_empty() && has != scope {
                assert_eq!(page.status, 403, "{path} with {has}");
            } else {
                assert!(
                    page.status != 401 && page.status != 403 || page.body.contains("only who did it"),
                    "{path}: {}",
                    page.body
                );
            }
        }
    }
    // A token does not open pages, in a header or as a cookie.
    let mut thief = site.browser();
    thief.cookies = vec![("__Host-wardroom".to_owned(), tokens[0].1[21..].to_owned())];
    let request =
        thief.request(Method::GET, "/inbox").header(header::AUTHORIZATION, format!("Bearer {}", tokens[0].1));
    assert_eq!(site.send(request.body(Body::empty()).unwrap()).await.status, 303);
}
