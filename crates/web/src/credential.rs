//! What somebody proves with that it is them: a password, codes of an authenticator app, recovery
//! codes. Kept as documents beside the log, never in it.
//!
//! Passwords and recovery codes are kept as hashes. The secret of an authenticator app has to be
//! kept as it is, since the codes are made from it: the store's file is its boundary, and so is
//! every copy of it.

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use totp_rs::{Algorithm, Builder, Totp};
use wardroom_desk::Millis;
use wardroom_service::{Desk, Person};
use wardroom_store::Document;

use crate::error::Failed;
use crate::password::Hashed;
use crate::random;

/// The collection of credentials in the store; the key is the login.
pub const CREDENTIAL: &str = "credential";
/// How many recovery codes somebody gets.
pub const CODES: usize = 10;
/// Seconds of one code, and how many steps a clock may be wrong either way (RFC 6238, 5.2).
const STEP: u64 = 30;
const SKEW: u16 = 1;

/// What is kept of one person.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Credential {
    /// The number of their record: a login that is given to somebody else later does not bring the
    /// password with it.
    pub no: u32,
    /// Their password; none until they have set one.
    #[serde(default)]
    pub password: Option<Hashed>,
    /// Their authenticator app, once it has shown that it works.
    #[serde(default)]
    pub app: Option<Authenticator>,
    /// The secret of an app that has still to show it, in hex.
    #[serde(default)]
    pub pending: Option<String>,
    /// Hashes of the recovery codes that are left.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Without an authenticator app they get no further than their account.
    #[serde(default)]
    pub must: bool,
}

/// An authenticator app.
#[derive(Clone, Serialize, Deserialize)]
pub struct Authenticator {
    /// In hex.
    secret: String,
    /// The last step whose code was taken: it and earlier ones are taken no more.
    step: u64,
}

/// What a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Of the authenticator app.
    App,
    /// A recovery code; how many are left.
    Recovery(usize),
}

/// Held while a credential is read, judged and written: no code is taken twice.
static WRITING: Mutex<()> = Mutex::const_new(());

/// What is kept of a login; nothing is there until a password was set.
pub async fn of_login(desk: &Desk, login: &str) -> Result<Option<Credential>, Failed> {
    let document = desk.store().get(CREDENTIAL, login, desk.now()).await?;
    document.map(|d| serde_json::from_value(d.body).map_err(|e| Failed::broken(&e))).transpose()
}

/// What is kept of a person.
pub async fn of(desk: &Desk, person: &Person) -> Result<Credential, Failed> {
    let found = of_login(desk, &person.login).await?.filter(|c| c.no == person.no);
    Ok(found.unwrap_or_else(|| Credential { no: person.no, ..Credential::default() }))
}

/// Changes what is kept of a person; what the change gives back.
pub async fn change<T>(
    desk: &Desk,
    person: &Person,
    change: impl FnOnce(&mut Credential) -> T + Send,
) -> Result<T, Failed> {
    let _writing = WRITING.lock().await;
    let mut credential = of(desk, person).await?;
    let result = change(&mut credential);
    let document = Document {
        collection: CREDENTIAL.to_owned(),
        key: person.login.clone(),
        owner: Some(person.login.clone()),
        body: serde_json::to_value(&credential).map_err(|e| Failed::broken(&e))?,
        expires: None,
    };
    desk.store().put(&document).await?;
    Ok(result)
}

impl Credential {
    /// Takes a code, of the app or for recovery, at most once. None where it is neither.
    pub fn take(&mut self, login: &str, code: &str, now: Millis) -> Option<Proof> {
        let plain: String = code.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let app = self.app.as_mut()?;
        if plain.len() == 6
            && let Some(step) = matched(&app.secret, &plain, now)
        {
            if step <= app.step {
                return None;
            }
            app.step = step;
            return Some(Proof::App);
        }
        let kept = kept_code(login, &plain);
        let at = self.codes.iter().position(|c| *c == kept)?;
        self.codes.remove(at);
        Some(Proof::Recovery(self.codes.len()))
    }

    /// Turns the app on whose secret waits, where a code of it fits.
    pub fn turn_on(&mut self, code: &str, now: Millis) -> bool {
        let plain: String = code.chars().filter(char::is_ascii_digit).collect();
        let Some(secret) = self.pending.clone() else { return false };
        let Some(step) = matched(&secret, &plain, now) else { return false };
        self.app = Some(Authenticator { secret, step });
        self.pending = None;
        true
    }

    /// Turns it off, with everything that belongs to it.
    pub fn turn_off(&mut self) {
        self.app = None;
        self.pending = None;
        self.codes.clear();
    }

    /// New recovery codes in the place of the old; they are shown this once.
    pub fn new_codes(&mut self, login: &str) -> Vec<String> {
        let codes: Vec<String> = (0..CODES).map(|_| code()).collect();
        self.codes = codes.iter().map(|c| kept_code(login, &c.replace('-', ""))).collect();
        codes
    }
}

/// A new secret for an app: 160 bits, as RFC 4226 asks for, in hex.
pub fn new_secret() -> String {
    random::hex(&random::bytes::<20>())
}

/// The step whose code this is.
fn matched(secret: &str, code: &str, now: Millis) -> Option<u64> {
    totp(secret)?.check(code, seconds(now))
}

fn seconds(now: Millis) -> u64 {
    u64::try_from(now / 1_000).unwrap_or_default()
}

fn totp(secret: &str) -> Option<Totp> {
    let bytes: [u8; 20] = wardroom_store::ledger::from_hex(secret)?;
    // Apps that do not know other algorithms take SHA-1 without saying so.
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(SKEW);
    builder.with_step_duration(STEP).with_secret(bytes).build().ok()
}

/// A secret as people type it, in groups of four.
pub fn typed(secret: &str) -> String {
    let text = base32(secret);
    let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|c| std::str::from_utf8(c).ok()).collect();
    groups.join(" ")
}

/// The address that an app reads from a picture.
pub fn address(secret: &str, login: &str, host: &str) -> String {
    let part = |text: &str| crate::error::url_encode(text).replace(['/', ':', '@'], "-");
    format!(
        "otpauth://totp/Wardroom:{}?secret={}&issuer=Wardroom%20{}",
        part(login),
        base32(secret),
        part(host)
    )
}

/// Hex as base32 (RFC 4648) without padding.
fn base32(hex: &str) -> String {
    let Some(bytes) = wardroom_store::ledger::from_hex::<20>(hex) else { return String::new() };
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, b| bits << 8 | u64::from(*b));
        for at in (0..8).rev() {
            out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(bits >> (at * 5)) as usize & 31]));
        }
    }
    out
}

/// A recovery code: 79 random bits, so that its hash can be kept without salt or slowness.
fn code() -> String {
    // No letter that could be read as another; one stands twice, to make 32.
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789x";
    let bytes: [u8; 16] = random::bytes();
    let text: String = bytes.iter().map(|b| char::from(letters[usize::from(b & 31)])).collect();
    format!("{}-{}-{}-{}", &text[..4], &text[4..8], &text[8..12], &text[12..])
}

fn kept_code(login: &str, plain: &str) -> String {
    random::kept(&format!("recovery:{login}:{}", plain.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_app() -> Credential {
        let mut credential = Credential { pending: Some(new_secret()), ..Credential::default() };
        let code = totp(credential.pending.as_ref().unwrap()).unwrap().generate(1_000_000).to_string();
        assert!(credential.turn_on(&code, 1_000_000_000));
        credential
    }

    fn code_at(credential: &Credential, seconds: u64) -> String {
        totp(&credential.app.as_ref().unwrap().secret).unwrap().generate(seconds).to_string()
    }

    #[test]
    fn a_code_is_taken_once_and_only_near_its_time() {
        let mut credential = with_app();
        let same = code_at(&credential, 1_000_000);
        assert_eq!(credential.take("ana", &same, 1_000_000_000), None, "it turned the app on");
        let next = code_at(&credential, 1_000_030);
        assert_eq!(credential.take("ana", &next, 1_000_000_000), Some(Proof::App), "one step ahead");
        assert_eq!(credential.take("ana", &next, 1_000_030_000), None);
        let late = code_at(&credential, 1_000_090);
        assert_eq!(credential.take("ana", &late, 1_000_150_000), None, "two steps late");
        let spaced = code_at(&credential, 1_000_150);
        let spaced = format!("{} {}", &spaced[..3], &spaced[3..]);
        assert_eq!(credential.take("ana", &spaced, 1_000_150_000), Some(Proof::App));
    }

    #[test]
    fn a_recovery_code_is_taken_once_and_for_its_owner() {
        let mut credential = with_app();
        let codes = credential.new_codes("ana");
        assert_eq!(codes.len(), CODES);
        assert_eq!(credential.take("ben", &codes[0], 0), None);
        assert_eq!(credential.take("ana", &codes[0].to_uppercase(), 0), Some(Proof::Recovery(9)));
        assert_eq!(credential.take("ana", &codes[0], 0), None);
        credential.turn_off();
        assert_eq!(credential.take("ana", &codes[1], 0), None);
    }

    #[test]
    fn secrets_are_written_as_apps_read_them() {
        // RFC 6238, appendix B: the secret is the text below, and its code at 59 s ends in 287082.
        let secret = random::hex(b"12345678901234567890");
        assert_eq!(base32(&secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(typed(&secret).split(' ').count(), 8);
        assert_eq!(totp(&secret).unwrap().generate(59).to_string(), "287082");
    }
}
