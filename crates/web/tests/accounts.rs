//! Setting up, signing in and out, and what keeps others from doing so.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use support::{Client, Site};
use wardroom_desk::{Actor, Caller, Command, Fields};
use wardroom_web::{recovery_link, setup_link, signed_in_link};

const PASSWORD: &str = "harbour lights at dawn";
const OTHER: &str = "seven boats in the fog";

fn key(link: &str) -> String {
    link.split_once("key=").unwrap().1.to_owned()
}

async fn move_person(site: &Site, login: &str, transition: &str) {
    let id = {
        let shared = site.desk.read();
        let no = shared.people.get(login).unwrap().no;
        shared.index.id(no).unwrap()
    };
    let admin = site.desk.program().policies.roles[0].clone();
    let caller = Caller { role: admin, ..Caller::engine(Actor::Operator) };
    let command =
        Command::Move { transition: transition.into(), fields: Fields::new(), because: "test".into() };
    site.desk.act(&caller, &id, None, command).await.unwrap();
}

#[tokio::test]
async fn the_first_set_up_happens_once() {
    let site = Site::new().await;
    let old = setup_link(&site.desk, &site.origin).await.unwrap().unwrap();
    let link = setup_link(&site.desk, &site.origin).await.unwrap().unwrap();
    let mut browser = site.browser();
    for path in ["/setup", "/setup?key=", "/setup?key=0000", site.path_of(&old)] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.body.contains("Ask for a new one"));
    }
    let key = key(&link);
    assert_eq!(browser.get(site.path_of(&link)).await.status, StatusCode::OK);
    let send = async |browser: &mut Client<'_>, login: &str, password: &str, again: &str| {
        let fields = [
            ("key", key.as_str()),
            ("login", login),
            ("name", "Ana <b>Voss</b>"),
            ("password", password),
            ("again", again),
        ];
        browser.post_bare("/setup", &fields).await
    };
    for (login, password, again, says) in [
        ("Ana Voss", PASSWORD, PASSWORD, "Letters from a to z"),
        ("ana", "short", "short", "12 characters or more"),
        ("ana", PASSWORD, OTHER, "not the same"),
    ] {
        let page = send(&mut browser, login, password, again).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(says), "{says}");
        assert!(page.body.contains("Ana &#60;b&#62;Voss"), "what was typed is kept, escaped: {}", page.body);
        assert!(!page.body.contains(PASSWORD));
    }
    let page = send(&mut browser, "ana", PASSWORD, PASSWORD).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/inbox"));
    assert!(browser.is_in().await);
    assert_eq!(site.desk.read().people.get("ana").unwrap().role, "admin");

    assert_eq!(setup_link(&site.desk, &site.origin).await.unwrap(), None);
    assert_eq!(browser.get(site.path_of(&link)).await.status, StatusCode::FORBIDDEN);
    let page = send(&mut browser, "eve", PASSWORD, PASSWORD).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(site.desk.read().people.get("eve").is_none());
}

#[tokio::test]
async fn a_set_up_link_ends_after_a_day() {
    let site = Site::new().await;
    let link = setup_link(&site.desk, &site.origin).await.unwrap().unwrap();
    site.wait(24 * 3_600_000 + 1);
    assert_eq!(site.browser().get(site.path_of(&link)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_name_and_password_together_sign_in() {
    let site = Site::new().await;
    let ana = site.with_password("ana", "engineer", PASSWORD).await;
    site.with_password("ben", "engineer", OTHER).await;
    site.add("new", "engineer").await;
    move_person(&site, "ben", "suspend").await;
    let mut says = Vec::new();
    for (name, password) in
        [("ana", OTHER), ("nobody", PASSWORD), ("ben", OTHER), ("new", ""), ("", ""), ("ana'--", PASSWORD)]
    {
        let mut browser = site.browser();
        let page = browser.sign_in(name, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(page.set_cookies().is_empty());
        says.push(page.between("role=\"alert\">", "</p>").unwrap().to_owned());
        assert!(!browser.is_in().await);
    }
    says.dedup();
    assert_eq!(says.len(), 1, "nothing tells whether a name exists: {says:?}");

    let mut browser = site.browser();
    let page = browser.post_bare("/sign-in", &[("name", " ana "), ("password", PASSWORD), ("next", "/queue?q=x")]).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/queue?q=x"));
    browser.load_csrf().await;
    let page = browser.post("/sign-out", &[]).await;
    assert_eq!(page.location(), "/sign-in");
    assert!(!browser.is_in().await);
    let noted = site.noted(ana.no).await;
    assert!(noted.ends_with(&["signed in".to_owned(), "signed out".to_owned()]), "{noted:?}");
    assert_eq!(site.is_noted(ana.no, "failed sign-in").await, 1);
}

#[tokio::test]
async fn guesses_are_slowed_by_name() {
    let site = Site::new().await;
    let ana = site.with_password("ana", "engineer", PASSWORD).await;
    for name in ["ana", "nobody"] {
        for at in 0..5 {
            let mut browser = site.browser();
            browser.address = format!("192.0.2.{}:1", 100 + at).parse().unwrap();
            assert_eq!(browser.sign_in(name, OTHER).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let page = site.browser().sign_in(name, OTHER).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{name}");
        assert_eq!(page.header("retry-after"), "1");
    }
    // The right password waits like any other, and then it is taken.
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    site.wait(1_001);
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.is_noted(ana.no, "failed sign-in").await, 1, "many failures are one event");
}

#[tokio::test]
async fn guesses_are_slowed_by_address_and_headers_do_not_help() {
    let site = Site::new().await;
    site.with_password("ana", "engineer", PASSWORD).await;
    let mut last = StatusCode::OK;
    for at in 0..31 {
        let browser = site.browser();
        let request = browser
            .request(Method::POST, "/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-for", format!("198.51.100.{at}"))
            .body(Body::from(format!("name=user{at}&password=x")))
            .unwrap();
        last = site.send(request).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    // Who has a password of their own does not free the address by it.
    site.wait(1_001);
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.browser().sign_in("user1", "x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.browser().sign_in("user2", "x").await.status, StatusCode::TOO_MANY_REQUESTS);
    let mut elsewhere = site.browser();
    elsewhere.address = "203.0.113.9:1".parse().unwrap();
    assert_eq!(elsewhere.sign_in("ana", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_that_was_there_before_is_not_taken_over() {
    let site = Site::new().await;
    site.with_password("ana", "engineer", PASSWORD).await;
    // Somebody else's session, and a value that nobody gave out.
    let eve = site.person("eve", "viewer").await;
    let mut browser = eve.clone();
    browser.sign_in("ana", PASSWORD).await;
    assert_ne!(browser.cookies, eve.cookies);
    let page = browser.get("/account").await;
    assert!(page.body.contains("ana Example"));
    assert!(!eve.clone().is_in().await, "the session that the browser brought is over");

    let mut planted = site.browser();
    planted.cookies.push(("wardroom".into(), "a".repeat(64)));
    let before = planted.cookies.clone();
    planted.sign_in("ana", PASSWORD).await;
    assert_ne!(planted.cookies, before);
    let mut old = site.browser();
    old.cookies = before;
    assert!(!old.is_in().await);
}

#[tokio::test]
async fn who_is_suspended_is_out_at_once_and_stays_out() {
    let site = Site::new().await;
    let mut ana = site.person("ana", "engineer").await;
    let mut boss = site.person("boss", "admin").await;
    assert!(ana.is_in().await);
    let page = boss.post("/admin/people/ana/move", &[("transition", "suspend"), ("because", "left")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert!(!ana.is_in().await);

    // Also where the record was moved by another way, and back: the old session stays dead.
    let mut ben = site.person("ben", "engineer").await;
    site.wait(1_000);
    move_person(&site, "ben", "suspend").await;
    assert!(!ben.is_in().await);
    site.wait(1_000);
    move_person(&site, "ben", "restore").await;
    assert!(!ben.is_in().await);
    assert!(site.enter("ben").await.is_in().await);
}

#[tokio::test]
async fn a_revoked_session_is_out_at_once_and_not_written_again() {
    let site = Site::new().await;
    let mut here = site.person("ana", "engineer").await;
    let mut there = site.enter("ana").await;
    let mut stranger = site.person("eve", "engineer").await;
    let page = here.get("/account").await;
    let other = page.hidden("session").unwrap().to_owned();
    let refused = stranger.post("/account/sessions/end", &[("session", &other)]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(there.is_in().await);
    here.post("/account/sessions/end", &[("session", &other)]).await;
    assert!(!there.is_in().await);
    let mut third = site.enter("ana").await;
    here.post("/account/sessions/end-others", &[]).await;
    assert!(!third.is_in().await && here.is_in().await);

    // A request that is under way while its session ends leaves nothing behind.
    let fourth = site.enter("ana").await;
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let stream = tokio_stream::once(format!("csrf={}&theme=dark", fourth.csrf));
    let slow = tokio_stream::StreamExt::then(stream, {
        let mut receive = Some(receive);
        move |text| {
            let receive = receive.take();
            async move {
                receive.unwrap().await.unwrap();
                Ok::<String, std::io::Error>(text)
            }
        }
    });
    let request = fourth
        .request(Method::POST, "/account/theme")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from_stream(slow))
        .unwrap();
    let ending = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        here.post("/account/sessions/end-others", &[]).await;
        send.send(()).unwrap();
    };
    let (page, ()) = tokio::join!(site.send(request), ending);
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(!fourth.clone().is_in().await);
}

#[tokio::test]
async fn sessions_end_by_themselves() {
    let site = Site::new().await;
    let mut idle = site.person("ana", "engineer").await;
    let mut busy = site.enter("ana").await;
    for _ in 0..27 {
        site.wait(11 * 3_600_000);
        assert!(busy.is_in().await);
    }
    assert!(!idle.is_in().await);
    for _ in 0..4 {
        site.wait(11 * 3_600_000);
        busy.is_in().await;
    }
    assert!(!busy.is_in().await, "two weeks are the most");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let site = Site::new().await;
    site.with_password("ana", "engineer", PASSWORD).await;
    let mut other = site.browser();
    other.sign_in("ana", PASSWORD).await;
    let mut here = site.browser();
    here.sign_in("ana", PASSWORD).await;
    let change = |old: &'static str, new: &'static str| [("old", old), ("password", new), ("again", new)];
    for (old, new, says) in [(OTHER, OTHER, "not your password"), (PASSWORD, "short", "12 characters")] {
        let page = here.post("/account/password", &change(old, new)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(says));
    }
    let page = here.post("/account/password", &change(PASSWORD, OTHER)).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(here.is_in().await && !other.is_in().await);
    assert_eq!(site.browser().sign_in("ana", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.browser().sign_in("ana", OTHER).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn links_work_once_and_for_whom_they_were_made() {
    let site = Site::new().await;
    site.with_password("ana", "engineer", PASSWORD).await;
    let old = recovery_link(&site.desk, &site.origin, "ana").await.unwrap();
    let link = recovery_link(&site.desk, &site.origin, "ana").await.unwrap();
    assert!(recovery_link(&site.desk, &site.origin, "nobody").await.is_err());
    assert_eq!(site.browser().get(site.path_of(&old)).await.status, StatusCode::FORBIDDEN);
    // A link of one kind opens no other door.
    for path in ["/join", "/setup", "/enter"] {
        let path = format!("{path}?key={}", key(&link));
        assert_eq!(site.browser().get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let mut signed_in = site.browser();
    signed_in.sign_in("ana", PASSWORD).await;
    let key = key(&link);
    let fields = [("key", key.as_str()), ("password", OTHER), ("again", OTHER)];
    let (mut one, mut two) = (site.browser(), site.browser());
    let (a, b) = tokio::join!(one.post_bare("/recover", &fields), two.post_bare("/recover", &fields));
    let mut statuses = [a.status, b.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN], "one of two at once");
    assert!(!signed_in.is_in().await);

    let enter = signed_in_link(&site.desk, &site.origin, "ana", 1_000).await.unwrap();
    assert_eq!(site.browser().get(site.path_of(&enter)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.browser().get(site.path_of(&enter)).await.status, StatusCode::FORBIDDEN);
    let late = signed_in_link(&site.desk, &site.origin, "ana", 1_000).await.unwrap();
    site.wait(1_001);
    assert_eq!(site.browser().get(site.path_of(&late)).await.status, StatusCode::FORBIDDEN);
    let pending = signed_in_link(&site.desk, &site.origin, "ana", 60_000).await.unwrap();
    move_person(&site, "ana", "suspend").await;
    assert_eq!(site.browser().get(site.path_of(&pending)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let site = Site::new().await;
    site.with_password("ana", "engineer", PASSWORD).await;
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "\u{1}//evil", "javascript:alert(1)"] {
        let page =
            site.browser().post_bare("/sign-in", &[("name", "ana"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!(page.location(), "/inbox", "{next}");
    }
    let mut ana = site.enter("ana").await;
    assert_eq!(ana.get("/sign-in?next=//evil.example").await.location(), "/inbox");
    assert_eq!(ana.get("/sign-in?next=/queue").await.location(), "/queue");
    let page = ana.post("/account/theme", &[("theme", "dark"), ("back", "//evil.example")]).await;
    assert_eq!(page.location(), "/inbox");
    assert!(ana.get("/account").await.body.contains("data-theme=\"dark\""));
    let page = site.browser().get("/sign-in?next=%22%3E%3Cscript%3E").await;
    assert!(!page.body.contains("<script>"));
    let page = site.browser().get("/account?x=1").await;
    assert_eq!(page.location(), "/sign-in?next=/account%3Fx%3D1");
}
