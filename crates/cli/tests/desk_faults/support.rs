//! The real program, a real store in a folder, and requests over a real connection.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wardroom_desk::{Actor, Caller, Fields, Query, Viewer};
use wardroom_program::Program;
use wardroom_service::{Desk, SystemClock};
use wardroom_store::Store;
use wardroom_store_postgres::{Address, PostgresStore};
use wardroom_store_sqlite::{Options, SqliteStore};
use wardroom_web::{Origin, signed_in_link};

/// A store in a folder of its own.
pub struct Place {
    folder: tempfile::TempDir,
    store: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("desk.db");
        Place { folder, store }
    }

    /// With the store in another folder, or in a database whose address this is.
    pub fn at(store: PathBuf) -> Place {
        Place { folder: tempfile::tempdir().unwrap(), store }
    }

    pub fn store(&self) -> &Path {
        &self.store
    }

    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a lead, and gives the link that signs her in.
    pub fn lead(&self) -> String {
        self.with_desk(async |desk| {
            let fields: Fields = [("title", "Ana"), ("login", "ana"), ("role", "lead")]
                .map(|(n, v)| (n.to_owned(), json!(v)))
                .into();
            desk.open_record(&Caller::engine(Actor::Operator), "person", fields, Vec::new()).await.unwrap();
            signed_in_link(desk, &Origin(String::new()), "ana", 600_000).await.unwrap()
        })
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardroom"));
        command
            .args(arguments)
            .args(["--store".as_ref(), self.store.as_os_str()])
            .current_dir(self.folder.path());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A token that may everything a token may, made before a server runs.
    pub fn token(&self) -> String {
        self.with_desk(async |desk| {
            let scopes = ["deliver", "read", "write"];
            wardroom_web::make_token(desk, "test", "lead", &scopes, 9, &Actor::Operator).await.unwrap()
        })
    }

    /// Does something with a desk over the store, in this process.
    pub fn with_desk<T>(&self, work: impl AsyncFnOnce(&Desk) -> T) -> T {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let options = Options::default();
            let store: Arc<dyn Store> = if let Ok(address) = self.store.to_string_lossy().parse::<Address>() {
                let options = wardroom_store_postgres::Options::default();
                Arc::new(PostgresStore::open(&address, &options).await.unwrap())
            } else if self.store.exists() {
                Arc::new(SqliteStore::open(&self.store, &options).await.unwrap())
            } else {
                Arc::new(SqliteStore::create(&self.store, &options).await.unwrap())
            };
            let settings = wardroom_service::Settings {
                store,
                program: Program::built_in(),
                clock: Arc::new(SystemClock),
            };
            let desk = Desk::open(settings).await.unwrap();
            work(&desk).await
        })
    }

    /// How many records a search finds.
    pub fn count(&self, search: &str) -> u64 {
        self.with_desk(async |desk| {
            let everything = Viewer { sees_confidential: true, ..Viewer::default() };
            desk.read().index.find(&Query::parse(search).0, &everything, desk.now()).len()
        })
    }

    /// Takes findings in, in this process.
    pub fn fill(&self, repository: &str, many: u32) {
        let envelope = serde_json::from_value(scan(repository, many)).unwrap();
        let delivery = wardroom_desk::intake::Delivery::read(envelope).unwrap();
        self.with_desk(async |desk| desk.deliver(&Caller::engine(Actor::Scan), &delivery).await.unwrap());
    }

    /// Whatever happened: the log is whole.
    pub fn is_sound(&self) {
        let audit = self.run(&["audit", "verify"]);
        assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    }
}

/// A server that runs.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub fn start(place: &Place) -> Server {
        let mut child =
            place.command(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else { panic!("the server does not start: {said}") };
            if let Some((_, url)) = line.split_once(" on http://") {
                break format!("http://{url}");
            }
            said.push_str(&line);
        };
        // What the server says stands in the report of a test that fails.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Server { child, url }
    }

    /// As power that fails.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let mut answer = agent()
            .get(format!("{}/api/v1{path}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .unwrap();
        (answer.status().as_u16(), json_of(answer.body_mut()).unwrap_or_default())
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Option<(u16, Value)> {
        post(&self.url, path, token, body, None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)));
    config.build().into()
}

/// An answer; none where the connection broke off.
pub fn post(url: &str, path: &str, token: &str, body: &Value, version: Option<&str>) -> Option<(u16, Value)> {
    let mut request = agent()
        .post(format!("{url}/api/v1{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    if let Some(version) = version {
        request = request.header("if-match", version);
    }
    let mut answer = request.send(body.to_string()).inspect_err(|e| eprintln!("{path}: {e}")).ok()?;
    let status = answer.status().as_u16();
    Some((status, json_of(answer.body_mut())?))
}

fn json_of(body: &mut ureq::Body) -> Option<Value> {
    serde_json::from_str(&body.read_to_string().ok()?).ok()
}

/// A scan with so many findings.
pub fn scan(repository: &str, many: u32) -> Value {
    let findings: Vec<Value> = (0..many)
        .map(|at| {
            json!({
                "fingerprint": format!("{repository}-{at}"), "rule": "open-redirect", "severity": "high", "confidence": "high",
                "message": format!("A parameter is a target, number {at}"), "scope": format!("C{}#new", at / 9),
                "location": {"file": format!("app/c{}.rb", at / 30), "start": {"line": at}, "snippet": format!("redirect_to params[:p{at}]")},
                "endpoints": [], "path": [],
            })
        })
        .collect();
    json!({"repository": repository, "complete": true, "report": {"findings": findings}})
}

/// A number that differs from run to run, below another.
pub fn any(below: u64) -> u64 {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    (u64::from(nanos).wrapping_mul(6_364_136_223_846_793_005) >> 33) % below.max(1)
}
