//! A desk over a real store in a folder of its own, served by the real router.

#![expect(dead_code, reason = "each test uses its part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use wardroom_desk::{Actor, Caller, Change, Event, Fields};
use wardroom_program::Program;
use wardroom_service::{Clock, Desk, Person};
use wardroom_store_sqlite::{Options, SqliteStore};
use wardroom_web::{App, Origin, Settings, recovery_link, signed_in_link};

/// A clock that stands until it is moved.
pub struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A desk that is served.
pub struct Site {
    pub desk: Arc<Desk>,
    pub origin: Origin,
    router: Router,
    clock: Arc<Hand>,
    _folder: TempDir,
}

impl Site {
    /// Reached over plain HTTP, as on one's own machine.
    pub async fn new() -> Site {
        Site::at("http://127.0.0.1:7000").await
    }

    /// Reached at this origin.
    pub async fn at(origin: &str) -> Site {
        Site::with(origin, Program::built_in()).await
    }

    /// Where work is done by another program.
    pub async fn with(origin: &str, program: Program) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("desk.db"), &Options::default()).await.unwrap();
        let public_key = store.public_key().to_vec();
        let clock = Arc::new(Hand(AtomicI64::new(1_795_000_000_000)));
        let settings = wardroom_service::Settings {
            store: Arc::new(store),
            program,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let desk = Arc::new(Desk::open(settings).await.unwrap());
        let origin = Origin(origin.to_owned());
        let app = App::new(Settings {
            desk: Arc::clone(&desk),
            rules: Vec::new(),
            origin: origin.clone(),
            public_key,
        });
        Site { desk, origin, router: app.router(), clock, _folder: folder }
    }

    /// Time goes by.
    pub fn wait(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// A browser that nobody is signed in with.
    pub fn browser(&self) -> Client<'_> {
        Client {
            site: self,
            cookies: Vec::new(),
            csrf: String::new(),
            address: "192.0.2.7:40000".parse().unwrap(),
        }
    }

    /// Adds somebody, who has no password yet.
    pub async fn add(&self, login: &str, role: &str) -> Person {
        let fields: Fields = [
            ("title".to_owned(), json!(format!("{} Example", login))),
            ("login".to_owned(), json!(login)),
            ("role".to_owned(), json!(role)),
        ]
        .into();
        let operator = Caller::engine(Actor::Operator);
        self.desk.open_record(&operator, "person", fields, Vec::new()).await.unwrap();
        self.desk.read().people.get(login).cloned().unwrap()
    }

    /// Adds somebody, signed in.
    pub async fn person(&self, login: &str, role: &str) -> Client<'_> {
        self.add(login, role).await;
        self.enter(login).await
    }

    /// Somebody who is there, signed in once more.
    pub async fn enter(&self, login: &str) -> Client<'_> {
        let link = signed_in_link(&self.desk, &self.origin, login, 600_000).await.unwrap();
        let mut client = self.browser();
        let page = client.get(self.path_of(&link)).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        client.load_csrf().await;
        client
    }

    /// Adds somebody with a password.
    pub async fn with_password(&self, login: &str, role: &str, password: &str) -> Person {
        let person = self.add(login, role).await;
        let link = recovery_link(&self.desk, &self.origin, login).await.unwrap();
        let key = link.split_once("key=").unwrap().1.to_owned();
        let fields = [("key", key.as_str()), ("password", password), ("again", password)];
        let page = self.browser().post("/recover", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        person
    }

    /// A link without its origin.
    pub fn path_of<'a>(&self, link: &'a str) -> &'a str {
        link.strip_prefix(&self.origin.0).unwrap()
    }

    /// What was noted on somebody's record, oldest first.
    pub async fn noted(&self, no: u32) -> Vec<String> {
        let events: Vec<Event> = self.desk.store().timeline(no, 0, 1_000).await.unwrap();
        let noted = events.into_iter().filter_map(|e| match e.change {
            Change::Noted { what, .. } => Some(what),
            _ => None,
        });
        noted.collect()
    }

    /// Waits for something to be noted: some things are beside the answer.
    pub async fn is_noted(&self, no: u32, what: &str) -> usize {
        for _ in 0..100 {
            let count = self.noted(no).await.iter().filter(|w| *w == what).count();
            if count > 0 {
                return count;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        0
    }

    /// Status and headers alone, of an answer that has no end.
    pub async fn head_of(&self, request: Request<Body>) -> (StatusCode, HeaderMap) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        (response.status(), response.headers().clone())
    }

    /// The body of an answer that has no end.
    pub async fn stream_of(&self, request: Request<Body>) -> Body {
        self.router.clone().oneshot(request).await.unwrap().into_body()
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        Page { status: parts.status, headers: parts.headers, body }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    /// Where it sends the browser.
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().unwrap())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The cookies that it sets, as they are written.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect()
    }

    /// The text between two others, the first time.
    pub fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(before)?;
        Some(rest.split_once(after)?.0)
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> Option<&str> {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A browser with its cookies.
#[derive(Clone)]
pub struct Client<'a> {
    pub site: &'a Site,
    pub cookies: Vec<(String, String)>,
    pub csrf: String,
    pub address: SocketAddr,
}

impl Client<'_> {
    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.take(request).await
    }

    /// Sends a form as a browser does, with the token of its session.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut all = vec![("csrf", self.csrf.clone())];
        all.extend(fields.iter().map(|(n, v)| (*n, (*v).to_owned())));
        let all: Vec<(&str, &str)> = all.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.post_bare(path, &all).await
    }

    /// Sends exactly these fields.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request(Method::POST, path)
            .header(header::ORIGIN, &self.site.origin.0)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.take(request).await
    }

    /// A request with what this browser always sends.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .extension(ConnectInfo(self.address))
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request
    }

    /// Sends a request and keeps the cookies of the answer.
    pub async fn take(&mut self, request: Request<Body>) -> Page {
        let page = self.site.send(request).await;
        for cookie in page.set_cookies() {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(n, _)| n != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        page
    }

    /// Signs in with name and password.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        let page = self.post_bare("/sign-in", &[("name", name), ("password", password)]).await;
        if page.status == StatusCode::SEE_OTHER && !page.location().starts_with("/sign-in") {
            self.load_csrf().await;
        }
        page
    }

    /// Whether somebody is signed in.
    pub async fn is_in(&mut self) -> bool {
        self.get("/account").await.status == StatusCode::OK
    }

    /// Takes the form token from a page.
    pub async fn load_csrf(&mut self) {
        let page = self.get("/account").await;
        self.csrf = page.hidden("csrf").unwrap_or_else(|| panic!("{page:?}")).to_owned();
    }
}
