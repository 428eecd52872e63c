//! Asking a server, as a browser does: connections are kept, answers may be packed.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ureq::Agent;

use crate::PASSWORD;

/// The longest that anything may take.
const LONGEST: Duration = Duration::from_secs(300);

/// Somebody at a browser.
pub struct Browser {
    agent: Agent,
    pub origin: String,
    cookie: String,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub location: String,
    pub took: Duration,
}

impl Browser {
    /// Only this machine is asked: it is no tool to load somebody else's server.
    pub fn new(origin: &str) -> anyhow::Result<Browser> {
        let host = origin.strip_prefix("http://").context("an origin begins with http://")?;
        if !host.starts_with("127.0.0.1:") {
            bail!("only servers on 127.0.0.1 are measured");
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(LONGEST))
            .build();
        Ok(Browser { agent: config.into(), origin: origin.to_owned(), cookie: String::new() })
    }

    /// Asks for a page. Packed bodies are left packed: unpacking is the browser's time.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let begun = Instant::now();
        let request = self.agent.get(format!("{}{path}", self.origin)).header("accept-encoding", "gzip");
        self.answer(request.header("cookie", &self.cookie).call()?, begun)
    }

    /// Asks for a page as plain text.
    pub fn plain(&self, path: &str) -> anyhow::Result<Answer> {
        let begun = Instant::now();
        let request = self.agent.get(format!("{}{path}", self.origin)).header("cookie", &self.cookie);
        self.answer(request.header("accept-encoding", "identity").call()?, begun)
    }

    /// Sends a form.
    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let begun = Instant::now();
        let request = self.agent.post(format!("{}{path}", self.origin)).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.answer(request.send(form)?, begun)
    }

    /// Sends JSON with a token.
    pub fn json(&self, path: &str, token: &str, body: &str) -> anyhow::Result<Answer> {
        let begun = Instant::now();
        let request = self.agent.post(format!("{}{path}", self.origin));
        let request = request.header("authorization", format!("Bearer {token}"));
        self.answer(request.header("content-type", "application/json").send(body)?, begun)
    }

    fn answer(
        &self,
        mut response: ureq::http::Response<ureq::Body>,
        begun: Instant,
    ) -> anyhow::Result<Answer> {
        let status = response.status().as_u16();
        let location = response.headers().get("location").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let location = location.to_owned();
        let body = response.body_mut().with_config().limit(256 << 20).read_to_vec()?;
        Ok(Answer { status, body, location, took: begun.elapsed() })
    }

    /// Signs in by password.
    pub fn sign_in(&mut self, login: &str) -> anyhow::Result<()> {
        let url = format!("{}/sign-in", self.origin);
        let pairs = [("name", login), ("password", PASSWORD), ("next", "")];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = self.agent.post(url).header("content-type", "application/x-www-form-urlencoded");
        let response = request.send(form)?;
        let cookie = response.headers().get("set-cookie").and_then(|v| v.to_str().ok());
        let cookie = cookie
            .and_then(|c| c.split(';').next())
            .with_context(|| format!("{login} could not sign in: {}", response.status()))?;
        self.cookie = cookie.to_owned();
        Ok(())
    }
}
