//! Who may administer, and what administrators do.

mod support;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use serde_json::json;
use support::Site;
use wardroom_desk::{Actor, Command, Refused};
use wardroom_service::{Error, JobState};
use wardroom_web::make_token;

const PAGES: [&str; 3] = ["/admin", "/admin/people", "/admin/tokens"];
const ACTS: [&str; 9] = [
    "/admin/people",
    "/admin/people/ana/role",
    "/admin/people/ana/move",
    "/admin/people/ana/end-sessions",
    "/admin/people/ana/link",
    "/admin/people/ana/second-factor",
    "/admin/tokens",
    "/admin/tokens/revoke",
    "/admin/sessions/end",
];

#[tokio::test]
async fn only_administrators_administer() {
    let site = Site::new().await;
    site.add("ana", "viewer").await;
    let roles: Vec<String> = site.desk.program().policies.roles.iter().map(|r| r.name.clone()).collect();
    for role in roles {
        let mut client = site.person(&format!("one-{role}"), &role).await;
        let admin = role == "admin";
        for path in PAGES {
            let page = client.get(path).await;
            let status = if admin { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(page.status, status, "{role} {path}: {}", page.body);
        }
        for path in ACTS {
            let page = client.post(path, &[("role", "admin"), ("login", "x1"), ("name", "X")]).await;
            assert_eq!(page.status == StatusCode::FORBIDDEN, !admin, "{role} {path}: {:?}", page.status);
        }
        assert_eq!(client.get("/account").await.status, StatusCode::OK);
    }
    for path in PAGES.iter().chain(&["/account", "/jobs"]) {
        assert!(site.browser().get(path).await.location().starts_with("/sign-in?next="), "{path}");
    }
}

#[tokio::test]
async fn nobody_makes_themselves_an_administrator() {
    let site = Site::new().await;
    for role in ["lead", "engineer", "developer", "viewer"] {
        let mut client = site.person(role, role).await;
        let id = {
            let shared = site.desk.read();
            shared.index.id(shared.people.get(role).unwrap().no).unwrap()
        };
        for fields in [[("field.role", "admin")], [("field.login", "boss")]] {
            let page = client.post(&format!("/records/{id}/set"), &fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{role}");
        }
        assert_eq!(site.desk.read().people.get(role).unwrap().role, role);
    }
    // Nor does who was one take back what they did then.
    let mut boss = site.person("boss", "admin").await;
    let mut eve = site.person("eve", "admin").await;
    eve.post("/admin/people/viewer/role", &[("role", "developer"), ("team", "")]).await;
    let batch = eve.get("/account").await.hidden("batch").unwrap().to_owned();
    boss.post("/admin/people/eve/role", &[("role", "engineer"), ("team", "")]).await;
    assert_eq!(eve.get("/admin").await.status, StatusCode::FORBIDDEN, "at once");
    assert_eq!(eve.post("/undo", &[("batch", &batch)]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.desk.read().people.get("viewer").unwrap().role, "developer");
}

#[tokio::test]
async fn a_login_is_given_once() {
    let site = Site::new().await;
    let mut boss = site.person("boss", "admin").await;
    let fields = [("login", "boss"), ("name", "Mara Voss"), ("role", "viewer"), ("team", "")];
    let page = boss.post("/admin/people", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("somebody has this sign-in name") && page.body.contains("value=\"Mara Voss\""));
    // Also where a second record comes to be by another way.
    site.add("boss", "viewer").await;
    assert_eq!(boss.get("/admin").await.status, StatusCode::OK);
    let page = boss.post("/admin/people", &[("login", "new"), ("name", "N"), ("role", "king")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(site.desk.read().people.get("new").is_none());
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let site = Site::new().await;
    let mut boss = site.person("boss", "admin").await;
    let page = boss.post("/admin/people/boss/role", &[("role", "viewer"), ("team", "")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    let page = boss.post("/admin/people/boss/move", &[("transition", "suspend"), ("because", "x")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    let mut ana = site.person("ana", "admin").await;
    assert_eq!(boss.post("/admin/people/boss/role", &[("role", "viewer")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(boss.get("/admin").await.status, StatusCode::FORBIDDEN);
    assert!(ana.get("/admin/people").await.body.contains("boss Example"));
    let page = ana.post("/admin/people/nobody/role", &[("role", "viewer")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tokens_are_shown_once_and_revoked() {
    let site = Site::new().await;
    let mut boss = site.person("boss", "admin").await;
    let fields = |name, role, days| [("name", name), ("role", role), ("days", days), ("scope", "deliver")];
    for (name, role, days) in
        [("", "engineer", "9"), ("ci", "admin", "9"), ("ci", "king", "9"), ("ci", "engineer", "0"), ("ci", "engineer", "9999"), ("c i", "engineer", "9")]
    {
        let page = boss.post("/admin/tokens", &fields(name, role, days)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} {role} {days}");
    }
    let page = boss.post("/admin/tokens", &fields("ci", "engineer", "90")).await;
    let token = page.between("id=\"new-token\">", "<").unwrap().to_owned();
    assert!(token.starts_with("wrd_"));
    assert!(!boss.get("/admin/tokens").await.body.contains(&token));
    let page = boss.post("/admin/tokens", &fields("ci", "engineer", "90")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "one name, one token");
    let secret = token.rsplit('_').next().unwrap();
    for document in site.desk.store().list("token", None, site.now()).await.unwrap() {
        assert!(!document.body.to_string().contains(secret), "only the hash is kept");
    }
    let id = boss.get("/admin/tokens").await.hidden("token").unwrap().to_owned();
    assert_eq!(boss.post("/admin/tokens/revoke", &[("token", &id)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(boss.post("/admin/tokens/revoke", &[("token", &id)]).await.status, StatusCode::NOT_FOUND);
    let no = site.desk.read().people.get("boss").unwrap().no;
    let noted = site.noted(no).await;
    assert!(noted.ends_with(&["token made".to_owned(), "token revoked".to_owned()]), "{noted:?}");

    let made = make_token(&site.desk, "cli", "engineer", &["deliver", "read"], 30, &Actor::Operator).await;
    assert!(made.unwrap().starts_with("wrd_"));
    let wrong = make_token(&site.desk, "cli2", "engineer", &["everything"], 30, &Actor::Operator).await;
    assert!(matches!(wrong, Err(Error::Refused(Refused::Invalid { .. }))));
}

#[tokio::test]
async fn a_token_of_ones_own_does_no_more_than_oneself() {
    let site = Site::new().await;
    let password = "harbour lights at dawn";
    site.with_password("dev", "developer", password).await;
    let mut dev = site.browser();
    dev.sign_in("dev", password).await;
    let fields = |role, proof| [("name", "laptop"), ("role", role), ("days", "9"), ("scope", "read"), ("proof", proof)];
    for (role, proof) in [("engineer", password), ("admin", password), ("developer", "not the password")] {
        let page = dev.post("/account/tokens", &fields(role, proof)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{role}");
    }
    let page = dev.post("/account/tokens", &fields("developer", password)).await;
    assert_eq!(page.status, StatusCode::OK);
    let id = dev.get("/account").await.hidden("token").unwrap().to_owned();
    let mut eve = site.person("eve", "engineer").await;
    assert_eq!(eve.post("/account/tokens/revoke", &[("token", &id)]).await.status, StatusCode::NOT_FOUND);
    assert!(!eve.get("/account").await.body.contains("laptop"));
    assert_eq!(dev.post("/account/tokens/revoke", &[("token", &id)]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn jobs_are_seen_by_who_started_them() {
    let site = Site::new().await;
    let mut ana = site.person("ana", "engineer").await;
    let mut ben = site.person("ben", "engineer").await;
    let mut boss = site.person("boss", "admin").await;
    let job = site.desk.jobs.start("ana", "Dismiss <all> of it", site.now());
    job.progress.total(200);
    job.progress.step(50);
    let path = format!("/jobs/{}", job.id);
    let page = ana.get(&path).await;
    assert!(page.body.contains("<progress id=\"progress\" max=\"200\" value=\"50\">"), "{}", page.body);
    assert!(page.body.contains("Dismiss &#60;all&#62; of it"));
    assert_eq!(page.header("refresh"), "3");
    assert_eq!(boss.get(&path).await.status, StatusCode::OK);
    for path in [path.as_str(), "/jobs/99", "/jobs/x", "/jobs/18446744073709551616"] {
        assert_eq!(ben.get(path).await.status, StatusCode::NOT_FOUND);
    }
    assert!(!ben.get("/jobs").await.body.contains("Dismiss"));
    let cancel = format!("{path}/cancel");
    assert_eq!(ben.post(&cancel, &[]).await.status, StatusCode::NOT_FOUND);
    assert!(!job.progress.cancelled());
    assert_eq!(ana.post(&cancel, &[]).await.location(), path);
    assert!(job.progress.cancelled());
    site.desk.jobs.end(job.id, JobState::Done("50 changed.".into()), Some(7));
    let page = ana.get(&path).await;
    assert!(page.body.contains("50 changed.") && page.hidden("batch") == Some("7"), "{}", page.body);
    assert_eq!(page.header("refresh"), "");
}

#[tokio::test]
async fn forms_need_their_token_and_their_site() {
    let site = Site::new().await;
    let mut boss = site.person("boss", "admin").await;
    let other = site.person("ana", "engineer").await;
    site.desk.jobs.start("boss", "work", site.now());
    let mut paths: Vec<&str> = ACTS.to_vec();
    paths.extend([
        "/account/password",
        "/account/totp/begin",
        "/account/totp",
        "/account/totp/off",
        "/account/codes",
        "/account/sessions/end",
        "/account/sessions/end-others",
        "/account/tokens",
        "/account/tokens/revoke",
        "/account/theme",
        "/jobs/1/cancel",
        "/sign-out",
    ]);
    for path in paths {
        for csrf in [&[][..], &[("csrf", "")], &[("csrf", "wrong")], &[("csrf", other.csrf.as_str())]] {
            let page = boss.post_bare(path, csrf).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            assert!(page.body.contains("This form is out of date"), "{path}");
        }
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:7001"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = boss
                .request(Method::POST, path)
                .header(name, value)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(format!("csrf={}", boss.csrf)))
                .unwrap();
            let page = site.send(request).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {name} {value}");
            assert!(page.body.contains("another site"));
        }
    }
    assert!(boss.is_in().await);
    // What stands before a session is held to the same site, too.
    for path in ["/sign-in", "/sign-in/code", "/setup", "/join", "/recover"] {
        let request = site
            .browser()
            .request(Method::POST, path)
            .header("origin", "https://evil.example")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("name=ana&password=x"))
            .unwrap();
        assert_eq!(site.send(request).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn engines_still_change_people() {
    let site = Site::new().await;
    site.add("ana", "viewer").await;
    let id = site.desk.read().index.id(1).unwrap();
    let operator = wardroom_desk::Caller::engine(Actor::Operator);
    let command = Command::Set { fields: [("role".to_owned(), json!("lead"))].into(), because: String::new() };
    site.desk.act(&operator, &id, None, command).await.unwrap();
    assert_eq!(site.desk.read().people.get("ana").unwrap().role, "lead");
}
