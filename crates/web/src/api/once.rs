//! Idempotency keys: a request that is sent twice is done once, and both get the same answer.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wardroom_desk::Millis;
use wardroom_store::Document;

use super::caller::ApiCaller;
use super::input::{LARGEST, whole};
use super::problem::{KEY_REUSED, MALFORMED, Problem, RUNNING};
use super::scans;
use crate::{App, random};

/// The collection of answers that were given.
pub const COLLECTION: &str = "idempotency";
/// How long an answer is kept, in milliseconds: a day.
const KEPT: Millis = 24 * 3_600_000;
/// How long a request that never ended holds its key: longer than any takes.
const CLAIMED: Millis = 15 * 60_000;
/// Largest answer that is kept, in bytes.
const ANSWER: usize = 4 << 20;
/// Says that an answer is one that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Keys whose requests run in this process.
static UNDER_WAY: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What is kept under a key.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Over the request: the same key with another is a mistake.
    digest: String,
    /// The answer; none while the request runs.
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Holds a key in this process until it is dropped.
struct Held(String);

impl Held {
    fn of(key: &str) -> Option<Held> {
        let mut held = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(key.to_owned()).then(|| Held(key.to_owned()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Runs what changes something to its end, whether or not who asked is still there, and once for
/// each key.
pub async fn once(State(app): State<App>, caller: ApiCaller, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    match keyed(&app, &caller, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn keyed(app: &App, caller: &ApiCaller, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(key) = key_of(request.headers())? else {
        let run = tokio::spawn(async move { next.run(request).await });
        return run.await.map_err(|e| Problem::broken(&e));
    };
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path().ends_with("/scans") { scans::LARGEST } else { LARGEST };
    let body = whole(body, most).await?;
    let (parts, body, digest) = digest(parts, body).await?;
    let key = random::kept(&format!("{}\n{key}", caller.token));
    let running = || {
        Problem::new(RUNNING, "A request with this idempotency key has not ended yet.")
            .header(header::RETRY_AFTER, HeaderValue::from_static("2"))
    };
    let held = Held::of(&key).ok_or_else(running)?;
    let claim = document(app, caller, &key, &Kept { digest: digest.clone(), answer: None }, CLAIMED)?;
    for _ in 0..2 {
        if app.desk.store().put_new(&claim, app.desk.now()).await? {
            let run = tokio::spawn(run(
                app.clone(),
                caller.clone(),
                key,
                held,
                digest,
                Request::from_parts(parts, Body::from(body)),
                next,
            ));
            return run.await.map_err(|e| Problem::broken(&e))?;
        }
        let Some(found) = app.desk.store().get(COLLECTION, &key, app.desk.now()).await? else {
            // Its time was over between the two questions.
            continue;
        };
        let kept: Kept = serde_json::from_value(found.body).map_err(|e| Problem::broken(&e))?;
        if kept.digest != digest {
            return Err(Problem::new(KEY_REUSED, "This idempotency key came with another request before."));
        }
        return kept.answer.ok_or_else(running).map(again);
    }
    Err(running())
}

async fn run(
    app: App,
    caller: ApiCaller,
    key: String,
    _held: Held,
    digest: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // A panic ends a task, not the process: the key is free again then too.
    let response = tokio::spawn(async move { next.run(request).await }).await;
    let response = match response {
        Ok(response) if response.status().is_success() => response,
        // Where it was refused nothing was done, so that it may be mended and sent again.
        other => {
            app.desk.store().remove(COLLECTION, &key).await?;
            return other.map_err(|e| Problem::broken(&e));
        }
    };
    let (parts, body) = response.into_parts();
    let body = whole(body, ANSWER).await?;
    let headers =
        parts.headers.iter().filter_map(|(n, v)| Some((n.to_string(), v.to_str().ok()?.to_owned())));
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let kept = document(&app, &caller, &key, &Kept { digest, answer: Some(answer) }, KEPT)?;
    // It was done: that the answer cannot be kept must not look as if it was not.
    if let Err(error) = app.desk.store().put(&kept).await {
        tracing::error!(%error, "an answer could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all(KEY).iter();
    let Some(key) = all.next() else { return Ok(None) };
    let fits = |k: &&str| (1..=200).contains(&k.len());
    match (key.to_str().ok().filter(fits), all.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            MALFORMED,
            "An idempotency key has 1 to 200 visible characters, and stands once.",
        )),
    }
}

/// Over all of a request that counts.
async fn digest(parts: Parts, body: Bytes) -> Result<(Parts, Bytes, String), Problem> {
    let task = move || {
        let mut hasher = Sha256::new();
        hasher.update(parts.method.as_str());
        hasher.update([0]);
        hasher.update(parts.uri.to_string());
        for name in [header::IF_MATCH, header::CONTENT_ENCODING] {
            hasher.update([0]);
            hasher.update(parts.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
        }
        hasher.update([0]);
        hasher.update(&body);
        let digest = random::hex(&hasher.finalize());
        (parts, body, digest)
    };
    tokio::task::spawn_blocking(task).await.map_err(|e| Problem::broken(&e))
}

fn document(
    app: &App,
    caller: &ApiCaller,
    key: &str,
    kept: &Kept,
    time: Millis,
) -> Result<Document, Problem> {
    Ok(Document {
        collection: COLLECTION.to_owned(),
        key: key.to_owned(),
        owner: Some(caller.token.clone()),
        body: serde_json::to_value(kept).map_err(|e| Problem::broken(&e))?,
        expires: Some(app.desk.now() + time),
    })
}

/// An answer that was given before.
fn again(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
