//! The headers of answers, by the rules of Mozilla's HTTP Observatory, version 5 of its scoring.

use axum::body::Body;
use axum::http::{Method, header};

use crate::support::{Page, Site};

/// Points beside the hundred that one begins with. What is not listed gives and takes nothing.
fn points(page: &Page) -> Vec<(&'static str, i32)> {
    let csp = page.header("content-security-policy");
    let part = |name: &str| csp.split(';').map(str::trim).find_map(|p| p.strip_prefix(name)).map(str::trim);
    let none = part("default-src") == Some("'none'")
        && !csp.contains("unsafe")
        && !csp.contains("http:")
        && !csp.contains('*');
    let hsts = page.header("strict-transport-security");
    let age =
        hsts.split(';').find_map(|p| p.trim().strip_prefix("max-age=")?.parse::<u64>().ok()).unwrap_or(0);
    let cookies = page.set_cookies();
    let sessions = cookies.iter().all(|c| {
        c.contains("; Secure")
            && c.contains("; HttpOnly")
            && c.contains("; SameSite=")
            && c.starts_with("__Host-")
    });
    vec![
        (
            "content-security-policy: none by default, nothing unsafe",
            if none {
                10
            } else if csp.is_empty() {
                -25
            } else {
                -20
            },
        ),
        (
            "cookies: Secure, HttpOnly, SameSite, of this host",
            if cookies.is_empty() {
                0
            } else if sessions {
                5
            } else {
                -20
            },
        ),
        (
            "cross-origin-resource-sharing: to nobody",
            if page.header("access-control-allow-origin").is_empty() { 0 } else { -50 },
        ),
        ("redirection: not to plain HTTP", if page.location().starts_with("http:") { -20 } else { 0 }),
        ("referrer-policy: private", if page.header("referrer-policy") == "same-origin" { 5 } else { 0 }),
        ("strict-transport-security: six months or more", if age >= 15_768_000 { 0 } else { -20 }),
        (
            "subresource-integrity: every script is of this origin",
            if page.body.contains("<script src=\"http") { -50 } else { 0 },
        ),
        (
            "x-content-type-options: nosniff",
            if page.header("x-content-type-options") == "nosniff" { 0 } else { -5 },
        ),
        (
            "x-frame-options: by frame-ancestors",
            if part("frame-ancestors") == Some("'none'") { 5 } else { -20 },
        ),
        (
            "cross-origin-resource-policy: same origin",
            if page.header("cross-origin-resource-policy") == "same-origin" { 10 } else { 0 },
        ),
    ]
}

#[tokio::test]
async fn the_grade_is_the_best_there_is() {
    let site = Site::at("https://desk.example").await;
    let mut ana = site.person("ana", "admin").await;
    let link = wardroom_web::signed_in_link(&site.desk, &site.origin, "ana", 60_000).await.unwrap();
    let begun = site.browser().get(site.path_of(&link)).await;
    let pages = [
        ("a session that begins", begun, 135),
        ("/inbox", ana.get("/inbox").await, 130),
        ("/sign-in", site.browser().get("/sign-in").await, 130),
        ("/nothing", ana.get("/nothing").await, 130),
        ("/api/v1/records", site.browser().get("/api/v1/records").await, 130),
        ("/export.csv", ana.get("/export.csv").await, 130),
        ("/static/x/wardroom.js", site.browser().get("/static/x/wardroom.js").await, 130),
    ];
    for (what, page, score) in pages {
        let points = points(&page);
        let sum: i32 = 100 + points.iter().map(|(_, p)| p).sum::<i32>();
        assert_eq!(sum, score, "{what}: {points:?}");
    }
}

#[tokio::test]
async fn the_policy_is_on_answers_of_every_sort() {
    let site = Site::at("https://desk.example").await;
    let mut ana = site.person("ana", "lead").await;
    for (method, path) in [
        (Method::GET, "/live"),
        (Method::HEAD, "/inbox"),
        (Method::OPTIONS, "/inbox"),
        (Method::DELETE, "/inbox"),
        (Method::PUT, "/queue"),
        (Method::TRACE, "/queue"),
        (Method::PATCH, "/api/v1/records"),
        (Method::GET, "/static/x/none"),
        (Method::GET, "/%ff"),
        (Method::GET, "/records/%00"),
        (Method::GET, "/queue?q=%ff%00"),
        (Method::POST, "/records/F-1/files"),
        (Method::GET, "/records/F-1/set"),
    ] {
        let request = ana
            .request(method.clone(), path)
            .header(header::ACCEPT_ENCODING, "gzip")
            .body(Body::empty())
            .unwrap();
        if path == "/live" {
            let (_, headers) = site.head_of(request).await;
            assert!(headers.contains_key("content-security-policy"), "{path}");
            continue;
        }
        let page = ana.take(request).await;
        assert!(!page.status.is_server_error(), "{method} {path}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{method} {path}");
        assert!(page.header("access-control-allow-origin").is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn what_a_header_says_of_the_host_changes_nothing() {
    let site = Site::at("https://desk.example").await;
    let mut ana = site.person("ana", "admin").await;
    let usual = ana.get("/admin/people").await;
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-proto", "http"),
        ("x-original-url", "/admin/evil.example"),
        ("x-rewrite-url", "/admin/evil.example"),
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "POST"),
        ("referer", "https://evil.example/"),
    ] {
        let request =
            ana.request(Method::GET, "/admin/people").header(name, value).body(Body::empty()).unwrap();
        let page = ana.take(request).await;
        assert_eq!(page.status, usual.status, "{name}");
        assert!(!page.body.contains("evil.example") && page.location().is_empty(), "{name}");
        assert_eq!(page.header("cache-control"), "no-store", "{name}");
        let fields = [("csrf", ana.csrf.clone())];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let request = ana
            .request(Method::POST, "/admin/people/ana/link")
            .header(name, value)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let page = ana.take(request).await;
        assert!(
            page.body.contains("https://desk.example/join?key="),
            "{name}: links name the origin that was set"
        );
        assert!(!page.body.contains("evil.example"), "{name}");
    }
}
