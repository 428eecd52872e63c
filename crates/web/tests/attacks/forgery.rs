//! Another site that uses somebody's browser.

use axum::body::Body;
use axum::http::{Method, header};

use crate::place::filled;
use crate::routes::{Gets, PAGES};

/// What is tried: method, media type, origin, what a browser says of the site, body.
type Case<'a> = (&'a str, Method, &'a str, Option<&'a str>, Option<&'a str>, String);

#[tokio::test]
async fn no_form_is_taken_from_elsewhere() {
    let (site, _) = filled().await;
    let boss = site.person("boss", "admin").await;
    let other = site.enter("boss").await;
    let before = site.desk.store().head().await.unwrap();
    let coded = "application/x-www-form-urlencoded";
    let mut tried = 0;
    for (method, route, path, fields, gets) in PAGES {
        if *method != "POST" {
            continue;
        }
        let open = matches!(gets, Gets::Open(_));
        let body = |csrf: Option<&str>| {
            let mut out = form_urlencoded::Serializer::new(String::new());
            out.extend_pairs(*fields);
            csrf.map(|csrf| out.append_pair("csrf", csrf));
            out.finish()
        };
        let json = format!("{{\"csrf\":\"{}\"}}", boss.csrf);
        let own = body(Some(&boss.csrf));
        let here = site.origin.0.as_str();
        let cases: [Case; 14] = [
            ("no token", Method::POST, coded, Some(here), None, body(None)),
            ("an empty token", Method::POST, coded, Some(here), None, body(Some(""))),
            ("the token of another session", Method::POST, coded, Some(here), None, body(Some(&other.csrf))),
            ("a part of the token", Method::POST, coded, Some(here), None, body(Some(&boss.csrf[..32]))),
            ("another origin", Method::POST, coded, Some("https://evil.example"), None, own.clone()),
            ("no origin", Method::POST, coded, Some("null"), None, own.clone()),
            (
                "the origin over plain HTTP",
                Method::POST,
                coded,
                Some("http://desk.example"),
                None,
                own.clone(),
            ),
            (
                "an origin that begins alike",
                Method::POST,
                coded,
                Some("https://desk.example.evil.example"),
                None,
                own.clone(),
            ),
            ("another port", Method::POST, coded, Some("https://desk.example:8443"), None, own.clone()),
            ("cross-site", Method::POST, coded, None, Some("cross-site"), own.clone()),
            ("same-site", Method::POST, coded, None, Some("same-site"), own.clone()),
            ("text", Method::POST, "text/plain", None, None, own.clone()),
            ("JSON", Method::POST, "application/json", None, None, json),
            ("GET", Method::GET, coded, None, None, String::new()),
        ];
        for (what, method, media, origin, fetch, body) in cases {
            // Before a session there is no token: those are kept by where a browser says it comes from.
            if open && (what.contains("token") || matches!(what, "text" | "JSON" | "GET")) {
                continue;
            }
            let path = if method == Method::GET { format!("{path}?{own}") } else { (*path).to_owned() };
            let mut request = boss.request(method.clone(), &path).header(header::CONTENT_TYPE, media);
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            if let Some(fetch) = fetch {
                request = request.header("sec-fetch-site", fetch);
            }
            let page = site.send(request.body(Body::from(body)).unwrap()).await;
            let read = method == Method::GET && [200, 404, 405].contains(&page.status.as_u16());
            let refused = [400, 403, 415].contains(&page.status.as_u16()) || read;
            assert!(refused, "{route}: {what}: {} {}", page.status, page.body);
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
    assert_eq!(site.desk.store().head().await.unwrap(), before, "nothing was written");
    assert!(boss.clone().is_in().await && other.clone().is_in().await, "nobody was signed out");
}

#[tokio::test]
async fn a_session_is_not_planted() {
    let (site, _) = filled().await;
    site.add("eve", "viewer").await;
    let mut ben = site.person("ben", "lead").await;
    // A link that signs in as somebody else, followed from another site.
    let link = wardroom_web::signed_in_link(&site.desk, &site.origin, "eve", 60_000).await.unwrap();
    let request = ben
        .request(Method::GET, site.path_of(&link))
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "no-cors")
        .header("sec-fetch-dest", "image")
        .body(Body::empty())
        .unwrap();
    let page = ben.take(request).await;
    assert_eq!(page.status, 403, "a picture does not sign anybody in");
    assert!(ben.get("/account").await.body.contains("ben"));
    // The link was not spent by that.
    assert_eq!(site.browser().get(site.path_of(&link)).await.status, 303);
    // Signing in ends what the browser brought, and the new session has another secret.
    let before = ben.cookies.clone();
    let link = wardroom_web::signed_in_link(&site.desk, &site.origin, "ben", 60_000).await.unwrap();
    assert_eq!(ben.get(site.path_of(&link)).await.status, 303);
    assert_ne!(ben.cookies, before);
    let mut old = site.browser();
    old.cookies = before;
    assert!(!old.is_in().await);
    // A session that somebody made up is not taken over.
    let mut fixed = site.browser();
    fixed.cookies = vec![("__Host-wardroom".to_owned(), "a".repeat(64))];
    let link = wardroom_web::signed_in_link(&site.desk, &site.origin, "ben", 60_000).await.unwrap();
    assert_eq!(fixed.get(site.path_of(&link)).await.status, 303);
    assert_ne!(fixed.cookies[0].1, "a".repeat(64));
}
