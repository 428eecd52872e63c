//! Authenticator apps and recovery codes.

mod support;

use axum::http::StatusCode;
use support::{Client, Site};
use totp_rs::{Algorithm, Builder};
use wardroom_web::recovery_link;

const PASSWORD: &str = "harbour lights at dawn";

/// What an authenticator app shows, from the key that the page shows.
fn code(key: &str, at: i64) -> String {
    let mut bits = Vec::new();
    for c in key.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == c).unwrap();
        bits.extend((0..5).rev().map(|at| (value >> at & 1) as u8));
    }
    let bytes: Vec<u8> = bits.chunks_exact(8).map(|b| b.iter().fold(0, |all, bit| all << 1 | bit)).collect();
    let secret: [u8; 20] = bytes.try_into().unwrap();
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
    builder.with_secret(secret).build().unwrap().generate(u64::try_from(at / 1_000).unwrap()).to_string()
}

/// Turns it on: the key, and the recovery codes.
async fn turn_on(site: &Site, client: &mut Client<'_>) -> (String, Vec<String>) {
    client.post("/account/totp/begin", &[]).await;
    let page = client.get("/account").await;
    let key = page.between("id=\"totp-key\">", "<").unwrap().to_owned();
    assert!(page.body.contains("<path d=\"M"), "the picture is there");
    let wrong = client.post("/account/totp", &[("code", "000000"), ("proof", PASSWORD)]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let now = code(&key, site.now());
    let stolen = client.post("/account/totp", &[("code", &now), ("proof", "not the password")]).await;
    assert_eq!(stolen.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = client.post("/account/totp", &[("code", &now), ("proof", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let list = page.between("id=\"code-list\">", "</ul>").unwrap();
    let codes = list.split("<li>").skip(1).map(|c| c.trim_end_matches("</li>").to_owned()).collect();
    (key, codes)
}

async fn ana(site: &Site) -> (Client<'_>, String, Vec<String>) {
    site.with_password("ana", "engineer", PASSWORD).await;
    let mut client = site.browser();
    client.sign_in("ana", PASSWORD).await;
    let (key, codes) = turn_on(site, &mut client).await;
    (client, key, codes)
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    let site = Site::new().await;
    let (mut first, key, codes) = ana(&site).await;
    assert_eq!(codes.len(), 10);
    assert!(!first.get("/account").await.body.contains(&codes[0]), "shown once");
    let used = code(&key, site.now());
    site.wait(30_000);

    let mut browser = site.browser();
    assert_eq!(browser.get("/sign-in/code").await.location(), "/sign-in");
    assert_eq!(browser.post_bare("/sign-in/code", &[("code", &used)]).await.location(), "/sign-in");
    let page = browser.sign_in("ana", PASSWORD).await;
    assert_eq!(page.location(), "/sign-in/code");
    assert!(!browser.is_in().await, "the password alone opens nothing");
    let again = browser.post_bare("/sign-in/code", &[("code", &used)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "it turned the app on and is used up");
    let fresh = code(&key, site.now());
    let mut copy = browser.clone();
    let page = browser.post_bare("/sign-in/code", &[("code", &fresh)]).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/inbox"));
    assert!(browser.is_in().await);
    assert!(browser.cookies.iter().all(|(n, _)| n != "wardroom-step"));
    assert_eq!(copy.post_bare("/sign-in/code", &[("code", &fresh)]).await.location(), "/sign-in");
    assert!(!copy.is_in().await, "the same step begins no second session");

    let mut replay = site.browser();
    replay.sign_in("ana", PASSWORD).await;
    let page = replay.post_bare("/sign-in/code", &[("code", &fresh)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (mut a, mut b) = (site.browser(), site.browser());
    a.sign_in("ana", PASSWORD).await;
    b.sign_in("ana", PASSWORD).await;
    site.wait(30_000);
    let fresh = code(&key, site.now());
    let fields = [("code", fresh.as_str())];
    let (one, two) = tokio::join!(a.post_bare("/sign-in/code", &fields), b.post_bare("/sign-in/code", &fields));
    let mut statuses = [one.status, two.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::UNPROCESSABLE_ENTITY], "one of two at once");
}

#[tokio::test]
async fn a_recovery_code_is_taken_once() {
    let site = Site::new().await;
    let (mut first, _, codes) = ana(&site).await;
    let no = site.desk.read().people.get("ana").unwrap().no;
    let mut browser = site.browser();
    browser.sign_in("ana", PASSWORD).await;
    assert!(browser.get("/sign-in/code?recovery=yes").await.body.contains("Recovery code"));
    let page = browser.post_bare("/sign-in/code", &[("recovery", "yes"), ("code", &codes[3])]).await;
    assert_eq!(page.location(), "/inbox");
    assert_eq!(site.is_noted(no, "recovery code used").await, 1);
    let mut again = site.browser();
    again.sign_in("ana", PASSWORD).await;
    let page = again.post_bare("/sign-in/code", &[("recovery", "yes"), ("code", &codes[3])]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = first.post("/account/codes", &[("proof", PASSWORD)]).await;
    assert!(page.body.contains("id=\"code-list\"") && !page.body.contains(&codes[4]));
    let page = again.post_bare("/sign-in/code", &[("recovery", "yes"), ("code", &codes[4])]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "the earlier ones are gone");
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let site = Site::new().await;
    let (_, key, _) = ana(&site).await;
    site.wait(30_000);
    let mut browser = site.browser();
    browser.sign_in("ana", PASSWORD).await;
    for _ in 0..4 {
        let page = browser.post_bare("/sign-in/code", &[("code", "000000")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = browser.post_bare("/sign-in/code", &[("code", "000000")]).await;
    assert_eq!(page.location(), "/sign-in", "it begins again with the password");
    browser.sign_in("ana", PASSWORD).await;
    let page = browser.post_bare("/sign-in/code", &[("code", &code(&key, site.now()))]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    site.wait(30_000);
    let page = browser.post_bare("/sign-in/code", &[("code", &code(&key, site.now()))]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);

    let mut late = site.browser();
    late.sign_in("ana", PASSWORD).await;
    site.wait(5 * 60_000 + 1);
    let page = late.post_bare("/sign-in/code", &[("code", &code(&key, site.now()))]).await;
    assert_eq!(page.location(), "/sign-in");
}

#[tokio::test]
async fn it_is_turned_off_with_the_password() {
    let site = Site::new().await;
    let (mut client, _, _) = ana(&site).await;
    let page = client.post("/account/totp/off", &[("proof", "not the password")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.location(), "/sign-in/code");
    client.post("/account/totp/off", &[("proof", PASSWORD)]).await;
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.location(), "/inbox");
    let no = site.desk.read().people.get("ana").unwrap().no;
    let noted = site.noted(no).await;
    for what in ["second factor turned on", "second factor turned off"] {
        assert!(noted.contains(&what.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn recovery_by_an_administrator_leaves_the_app_unless_it_is_lost() {
    let site = Site::new().await;
    let (_, _, _) = ana(&site).await;
    let mut boss = site.person("boss", "admin").await;
    for (fields, next) in [(&[][..], "/sign-in/code"), (&[("without", "yes")][..], "/inbox")] {
        let page = boss.post("/admin/people/ana/link", fields).await;
        let link = page.between("id=\"new-link\">", "<").unwrap();
        let key = link.split_once("key=").unwrap().1.replace("&#61;", "=");
        let fields = [("key", key.as_str()), ("password", "seven boats in fog"), ("again", "seven boats in fog")];
        let page = site.browser().post_bare("/recover", &fields).await;
        assert_eq!(page.location(), next);
    }
    assert!(recovery_link(&site.desk, &site.origin, "ana").await.is_ok());
}

#[tokio::test]
async fn who_must_have_one_gets_no_further_without() {
    let site = Site::new().await;
    let mut boss = site.person("boss", "admin").await;
    let fields =
        [("login", "ana"), ("name", "Ana Voss"), ("role", "engineer"), ("team", "web"), ("must", "yes")];
    let page = boss.post("/admin/people", &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let key = page.between("/join?key=", "<").unwrap().to_owned();
    let mut ana = site.browser();
    assert!(ana.get(&format!("/join?key={key}")).await.body.contains("Welcome, Ana Voss"));
    let fields = [("key", key.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(ana.post_bare("/join", &fields).await.location(), "/account");
    ana.load_csrf().await;
    for path in ["/jobs", "/live", "/sign-in/../jobs"] {
        let page = ana.get(path).await;
        assert!(page.location() == "/account" || page.status == StatusCode::NOT_FOUND, "{path} {page:?}");
    }
    assert_eq!(ana.post("/undo", &[("batch", "1")]).await.location(), "/account");
    turn_on(&site, &mut ana).await;
    assert_eq!(ana.get("/jobs").await.status, StatusCode::OK);
    let page = ana.post("/account/totp/off", &[("proof", PASSWORD)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.browser().get(&format!("/join?key={key}")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.desk.read().people.get("ana").unwrap().team.as_deref(), Some("web"));
}
