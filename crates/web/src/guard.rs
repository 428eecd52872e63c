//! What stands in front of every page: where requests come from, and what browsers may do with
//! answers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use wardroom_desk::Millis;

use crate::App;
use crate::error::Failed;

/// Everything comes from here, nothing is inline, nobody frames it, forms go nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";

/// Refuses requests from other sites that would change something, and sets the headers of answers.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let api = request.uri().path().starts_with("/api/");
    // The API takes no cookies, so another site cannot use it in somebody's name.
    if changes && !api && from_elsewhere(request.headers(), &app.origin.0) {
        let failed = Failed::Page(
            StatusCode::FORBIDDEN,
            "This came from another site".to_owned(),
            "Open the page here and try again.".to_owned(),
        );
        return headed(failed.into_response(), &app);
    }
    headed(next.run(request).await, &app)
}

/// Whether a browser says that a request comes from another site.
fn from_elsewhere(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return true;
    }
    text(header::ORIGIN).is_some_and(|o| o != origin)
}

fn headed(mut response: Response, app: &App) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-embedder-policy"), "require-corp");
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    );
    if app.origin.secure() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    response
}

/// Guesses are slowed: after some failures for one name or from one address, each further one waits
/// longer.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, (u32, Millis)>>,
}

/// Failures that cost nothing.
const FREE: u32 = 5;
/// The longest wait, in milliseconds.
const LONGEST: Millis = 15 * 60 * 1000;
/// Most names remembered; with more, those that wait no longer are dropped.
const NAMES: usize = 20_000;

impl Throttle {
    /// How long to wait before another try is looked at, in milliseconds.
    pub fn wait(&self, name: &str, now: Millis) -> Millis {
        self.wait_beyond(name, 0, now)
    }

    /// The same where `more` failures cost nothing beyond those that never do: for what many share.
    pub fn wait_beyond(&self, name: &str, more: u32, now: Millis) -> Millis {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(name).map_or(0, |(count, last)| (last + pause(count.saturating_sub(more)) - now).max(0))
    }

    /// Another failure.
    pub fn failed(&self, name: &str, now: Millis) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= NAMES {
            failures.retain(|_, (count, last)| *last + pause(*count).max(LONGEST) > now);
        }
        let entry = failures.entry(name.to_owned()).or_insert((0, now));
        if now - entry.1 > 4 * LONGEST {
            entry.0 = 0;
        }
        *entry = (entry.0.saturating_add(1), now);
    }

    /// What was counted as a failure was none.
    pub fn pardoned(&self, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, _)) = failures.get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }

    /// A success: the name is free again.
    pub fn succeeded(&self, name: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn pause(failures: u32) -> Millis {
    if failures < FREE {
        return 0;
    }
    (1_000_i64 << (failures - FREE).min(20)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_wait_longer_and_longer() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert_eq!(throttle.wait("a", 0), 0);
            throttle.failed("a", 0);
        }
        assert_eq!(throttle.wait("a", 0), 1_000);
        throttle.failed("a", 1_000);
        assert_eq!(throttle.wait("a", 1_000), 2_000);
        assert_eq!(throttle.wait("b", 1_000), 0);
        throttle.succeeded("a");
        assert_eq!(throttle.wait("a", 1_000), 0);
    }

    #[test]
    fn other_sites_are_told_by_what_browsers_say() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
                .collect::<HeaderMap>()
        };
        let here = "https://desk.example";
        assert!(!from_elsewhere(&headers(&[]), here));
        assert!(!from_elsewhere(&headers(&[("origin", here), ("sec-fetch-site", "same-origin")]), here));
        assert!(from_elsewhere(&headers(&[("origin", "https://evil.example")]), here));
        assert!(from_elsewhere(&headers(&[("origin", "null")]), here));
        assert!(from_elsewhere(&headers(&[("sec-fetch-site", "same-site")]), here));
    }
}
