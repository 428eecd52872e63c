//! The browser that asks: what it calls itself, where it is, what it holds.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{HeaderValue, USER_AGENT};
use axum::http::request::Parts;
use wardroom_desk::Millis;

use crate::error::Failed;
use crate::session::{cookie_of, secret_of};
use crate::{App, random};

/// How long somebody may take for the second step of signing in, in milliseconds.
pub const STEP: Millis = 5 * 60_000;

/// Failures from one address that cost nothing beyond those of one name: many share an address.
const SHARED: u32 = 25;

/// The browser that asks.
#[derive(Clone, Debug)]
pub struct Browser {
    /// As it calls itself.
    pub agent: String,
    /// The address at the other end of the connection. What a header says of it is not believed.
    pub address: Option<IpAddr>,
    /// The secret of a session that it holds, alive or not.
    pub session: Option<String>,
    /// The secret of a sign-in that waits for its second step.
    pub step: Option<String>,
}

impl FromRequestParts<App> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get(USER_AGENT).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        Ok(Browser {
            agent: agent.unwrap_or_default(),
            address: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_canonical()),
            session: secret_of(app, parts),
            step: cookie_of(step_name(app), parts),
        })
    }
}

impl Browser {
    /// The address in words.
    pub fn place(&self) -> String {
        self.address.map_or("unknown".to_owned(), |a| a.to_string())
    }

    /// Counts a try of a name from here as failed, so that many at once are counted too; how long to
    /// wait instead, in milliseconds, where there were too many.
    pub fn tries(&self, app: &App, name: &str) -> Result<(), Millis> {
        let now = app.desk.now();
        let (name, here) = (key(name), self.key());
        let wait = app.throttle.wait(&name, now).max(match &here {
            Some(here) => app.throttle.wait_beyond(here, SHARED, now),
            None => 0,
        });
        if wait > 0 {
            return Err(wait);
        }
        app.throttle.failed(&name, now);
        if let Some(here) = here {
            app.throttle.failed(&here, now);
        }
        Ok(())
    }

    /// That try was right. The address is not free by that: whoever guesses from there may have a
    /// name and password of their own.
    pub fn succeeds(&self, app: &App, name: &str) {
        app.throttle.succeeded(&key(name));
        if let Some(here) = self.key() {
            app.throttle.pardoned(&here);
        }
    }

    /// What an address is counted under. Of IPv6, one network counts as one. This machine is not
    /// counted: it is a proxy before everybody.
    fn key(&self) -> Option<String> {
        match self.address? {
            address if address.is_loopback() => None,
            IpAddr::V4(address) => Some(format!("address:{address}")),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Some(format!("address:{a:x}:{b:x}:{c:x}:{d:x}"))
            }
        }
    }
}

/// What a name is counted under: of one length, however long what was typed.
fn key(name: &str) -> String {
    random::kept(name)
}

fn step_name(app: &App) -> &'static str {
    if app.origin.secure() { "__Host-wardroom-step" } else { "wardroom-step" }
}

/// The header that gives a browser a sign-in that waits for its second step, or takes it away.
pub fn step_cookie(app: &App, secret: Option<&str>) -> Result<HeaderValue, Failed> {
    let secure = if app.origin.secure() { "; Secure" } else { "" };
    let (secret, age) = secret.map_or(("", 0), |s| (s, STEP / 1_000));
    let text =
        format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", step_name(app));
    HeaderValue::from_str(&text).map_err(|e| Failed::broken(&e))
}

/// A browser in a few words: `Firefox on Linux`.
pub fn in_words(agent: &str) -> String {
    let first = |words: &[(&'static str, &'static str)]| {
        words.iter().find(|(part, _)| agent.contains(part)).map(|(_, word)| *word)
    };
    // Most call themselves by several names: the rarer stands first.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(word), None) | (None, Some(word)) => word.to_owned(),
        (None, None) => "A browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_by_what_they_say() {
        for (agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0 Safari/537.36",
                "Chrome on macOS",
            ),
            ("curl/8.5.0", "curl"),
            ("<script>", "A browser"),
        ] {
            assert_eq!(in_words(agent), words);
        }
    }

    #[test]
    fn a_network_counts_as_one_and_this_machine_not_at_all() {
        let key = |address: &str| {
            let address = address.parse::<IpAddr>().unwrap().to_canonical();
            Browser { agent: String::new(), address: Some(address), session: None, step: None }.key()
        };
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_eq!(key("127.0.0.1"), None);
        assert_eq!(key("::1"), None);
    }
}
