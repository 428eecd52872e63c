//! What every answer carries, and what odd requests get.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use support::{Page, Site};
use wardroom_web::{setup_link, signed_in_link};

fn guarded(page: &Page, secure: bool, path: &str) {
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), value, "{path}: {name}");
    }
    assert_eq!(page.header("strict-transport-security").is_empty(), !secure, "{path}");
    assert!(page.body.is_empty() || !page.body.contains(" style="), "{path} has no style of its own");
    assert!(!page.body.contains(" onclick="), "{path}");
    if let Some((_, script)) = page.body.split_once("<script") {
        assert!(script.starts_with(" type=\"module\" src=\"/"), "{path} has no script of its own");
    }
}

#[tokio::test]
async fn every_page_is_guarded() {
    for origin in ["http://127.0.0.1:7000", "https://desk.example"] {
        let site = Site::at(origin).await;
        let secure = origin.starts_with("https");
        let link = setup_link(&site.desk, &site.origin).await.unwrap().unwrap();
        let page = site.browser().get(site.path_of(&link)).await;
        assert_eq!(page.status, StatusCode::OK);
        guarded(&page, secure, "/setup");
        let mut boss = site.person("boss", "admin").await;
        boss.post("/account/totp/begin", &[]).await;
        for path in ["/account", "/admin", "/admin/people", "/admin/tokens", "/jobs"] {
            let page = boss.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
            guarded(&page, secure, path);
        }
        for path in ["/sign-in", "/sign-in/code", "/setup", "/join", "/recover", "/enter", "/account", "/nothing", "/jobs/1", "/api/v1/nothing"] {
            guarded(&site.browser().get(path).await, secure, path);
        }
        let page = boss.post("/admin/tokens", &[("name", "x")]).await;
        guarded(&page, secure, "a refused form");
    }
}

#[tokio::test]
async fn cookies_are_for_this_host_and_no_script() {
    for (origin, name, secure) in [
        ("http://127.0.0.1:7000", "wardroom=", false),
        ("https://desk.example", "__Host-wardroom=", true),
    ] {
        let site = Site::at(origin).await;
        site.add("ana", "engineer").await;
        let link = signed_in_link(&site.desk, &site.origin, "ana", 1_000).await.unwrap();
        let page = site.browser().get(site.path_of(&link)).await;
        let cookies = page.set_cookies();
        let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; HttpOnly", "; Path=/", "; SameSite=Lax", "; Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), secure);
        assert!(!cookie.contains("Domain"));
        let mut ana = site.enter("ana").await;
        let page = ana.post("/sign-out", &[]).await;
        assert!(page.set_cookies()[0].contains("Max-Age=0"));
    }
    // A cookie of the plain name is nothing where browsers come over TLS.
    let site = Site::at("https://desk.example").await;
    let mut ana = site.person("ana", "engineer").await;
    for (name, _) in &mut ana.cookies {
        "wardroom".clone_into(name);
    }
    assert!(!ana.is_in().await);
}

#[tokio::test]
async fn odd_requests_get_a_page() {
    let site = Site::new().await;
    let mut ana = site.person("ana", "engineer").await;
    let send = async |path: &str, media: &str, body: Vec<u8>| {
        let request =
            ana.request(Method::POST, path).header(header::CONTENT_TYPE, media).body(Body::from(body)).unwrap();
        site.send(request).await
    };
    let form = "application/x-www-form-urlencoded";
    for path in ["/account/theme", "/sign-in"] {
        let page = send(path, form, vec![b'a'; (1 << 20) + 1]).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert!(page.body.contains("too large") && page.body.contains("<h1>"));
        assert_eq!(send(path, "text/plain", b"csrf=x".to_vec()).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(send(path, form, b"a&".repeat(6_000)).await.status, StatusCode::BAD_REQUEST);
    }
    for body in [
        &b"name=%ff%fe%00&password=%c3%28"[..],
        b"name=\xff\xfe&password=\x00",
        b"name=%F0%9F%92%A9%E2%80%AE&password=%00%0d%0a",
        b"%=%&&&=&name&password",
        b"",
    ] {
        let page = send("/sign-in", form, body.to_vec()).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{body:?}");
    }
    let long = format!("name={}&password={}", "n".repeat(400_000), "p".repeat(400_000));
    assert_eq!(send("/sign-in", form, long.into_bytes()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for path in ["/jobs/%00", "/jobs/%ff", "/admin/people/%2e%2e/role", "/setup?key=%ff%00", "/sign-in?next=%ff"] {
        let page = ana.get(path).await;
        assert!(page.status.is_client_error() || page.status.is_redirection(), "{path}: {}", page.status);
    }
    for cookie in ["wardroom=", "wardroom=x", "=;;=", "wardroom=\u{7f}", &format!("wardroom={}", "z".repeat(64))] {
        let mut odd = site.browser();
        odd.cookies = vec![];
        let Ok(request) = odd.request(Method::GET, "/account").header(header::COOKIE, cookie).body(Body::empty())
        else {
            continue;
        };
        assert_eq!(odd.take(request).await.status, StatusCode::SEE_OTHER, "{cookie:?}");
    }
}
