//! `--verify`: asks providers, at their documented endpoints, whether secrets are alive. Never done unless it is asked for.

use std::collections::HashMap;
use std::time::Duration;

use wardroom_model::{Finding, Fingerprint, Severity};
use wardroom_secrets::{Hit, Live, Secret, Token};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most questions of one run: a repository with more is a list of examples.
const MOST: usize = 200;

/// What a provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Alive,
    /// It does not.
    Dead,
    /// Nothing can be said: another answer, or none.
    Unknown,
}

/// What was learnt, by the name of the secret.
#[derive(Default)]
pub struct Answers(HashMap<Fingerprint, State>);

impl Answers {
    /// Asks about each secret once. `base` stands in for the scheme and host of every endpoint, in tests.
    pub fn ask(hits: &[Hit], salt: &[u8], base: Option<&str>) -> Answers {
        let mut wanted: HashMap<Fingerprint, (&'static Token, &Secret)> = HashMap::new();
        for hit in hits.iter().filter(|h| h.allowed.is_none() && h.token.live.is_some()) {
            wanted
                .entry(wardroom_secrets::fingerprint(hit.secret.expose(), salt))
                .or_insert((hit.token, &hit.secret));
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // A secret is not carried to where an answer points.
            .max_redirects(0)
            .user_agent(concat!("wardroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let mut sorted: Vec<_> = wanted.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let answers = sorted.into_iter().take(MOST).filter_map(|(name, (token, secret))| {
            let live = token.live.as_ref()?;
            Some((name, question(&agent, live, secret.expose(), base).unwrap_or(State::Unknown)))
        });
        Answers(answers.collect())
    }

    /// Puts it into the findings: what is alive is critical, what is dead is only worth knowing.
    pub fn tell(&self, findings: &mut [Finding]) {
        for finding in findings {
            let said = match self.0.get(&finding.fingerprint) {
                Some(State::Alive) => {
                    finding.severity = Severity::Critical;
                    finding.confidence = wardroom_model::Confidence::High;
                    "the provider says that it is alive"
                }
                Some(State::Dead) => {
                    finding.severity = finding.severity.min(Severity::Info);
                    "the provider says that it is dead"
                }
                Some(State::Unknown) => "the provider did not say whether it is alive",
                None => continue,
            };
            let rest =
                if finding.reason.is_empty() { String::new() } else { format!("; {}", finding.reason) };
            finding.reason = format!("{said}{rest}");
        }
    }

    /// How many are alive, dead, and unknown.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |state| self.0.values().filter(|s| **s == state).count();
        (count(State::Alive), count(State::Dead), count(State::Unknown))
    }
}

/// One question. An error is told as nothing: what it says might hold the secret.
fn question(agent: &ureq::Agent, live: &Live, secret: &[u8], base: Option<&str>) -> Option<State> {
    let secret = std::str::from_utf8(secret).ok()?;
    let fill = |template: &str| template.replace("{secret}", secret);
    let url = match base {
        Some(base) => {
            let path = live.url.splitn(4, '/').nth(3).unwrap_or_default();
            format!("{}/{path}", base.trim_end_matches('/'))
        }
        None => live.url.clone(),
    };
    let mut request =
        ureq::http::Request::builder().method(live.method.as_deref().unwrap_or("GET")).uri(fill(&url));
    if let (Some(header), Some(value)) = (&live.header, &live.value) {
        request = request.header(header, fill(value));
    }
    if let Some(pair) = &live.basic {
        request = request.header("Authorization", format!("Basic {}", base64(fill(pair).as_bytes())));
    }
    if let Some((name, value)) = live.extra_header.as_deref().and_then(|h| h.split_once(": ")) {
        request = request.header(name, value);
    }
    let mut answer = agent.run(request.body(()).ok()?).ok()?;
    let status = answer.status().as_u16();
    if let Some(sign) = &live.body_alive {
        let text = answer.body_mut().with_config().limit(64 << 10).read_to_string().ok()?;
        return Some(match status {
            200 if text.contains(sign.as_str()) => State::Alive,
            200 => State::Dead,
            _ => State::Unknown,
        });
    }
    Some(match status {
        s if live.alive.contains(&s) => State::Alive,
        s if live.dead.contains(&s) => State::Dead,
        _ => State::Unknown,
    })
}

/// For the one header that wants it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_pair() {
        assert_eq!(base64(b"sk:"), "c2s6");
        assert_eq!(base64(b"a"), "YQ==");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b""), "");
    }
}
