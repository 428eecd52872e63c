//! Passwords: argon2id, a bounded number at a time.
//!
//! A check costs 19 MiB and some ten milliseconds on purpose. So that a flood of sign-ins takes
//! neither all memory nor all processors, few are checked at once and only so many may wait.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::error::Failed;
use crate::random;

/// Memory in KiB, passes and lanes: what OWASP's password storage cheat sheet asks for at least.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of the salt and of the hash.
const SALT: usize = 16;
const HASH: usize = 32;

/// Shortest and longest password, in characters.
pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 200;

/// How many are checked at once, and how many may be checked or wait.
static WORKING: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2).min(8))
});
static WAITING: Semaphore = Semaphore::const_new(64);

/// A password as it is kept, with what it was hashed with, so that this can be raised later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; SALT],
    hash: [u8; HASH],
}

/// What is checked where nobody has the name: it costs the same and never fits.
static NOBODY: LazyLock<Hashed> = LazyLock::new(|| Hashed {
    memory: MEMORY,
    passes: PASSES,
    lanes: LANES,
    salt: random::bytes(),
    hash: random::bytes(),
});

/// Why a password will not do; none where it will.
pub fn problem(login: &str, password: &str, again: &str) -> Option<String> {
    let lower = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    let length = password.chars().count();
    Some(if length < SHORTEST {
        format!("Take {SHORTEST} characters or more. A few random words are good.")
    } else if length > LONGEST {
        format!("Take {LONGEST} characters at most.")
    } else if distinct.len() < 5
        || ["password", "passw0rd", "qwerty", "123456789"].iter().any(|w| lower.contains(w))
    {
        "This is one of the first that would be tried. A few random words are good.".to_owned()
    } else if login.chars().count() > 3 && lower.contains(&login.to_lowercase()) {
        "It holds your sign-in name. Leave that out.".to_owned()
    } else if password != again {
        "The two are not the same.".to_owned()
    } else {
        return None;
    })
}

/// Hashes a new password.
pub async fn hash(password: &str) -> Result<Hashed, Failed> {
    let mut hashed =
        Hashed { memory: MEMORY, passes: PASSES, lanes: LANES, salt: random::bytes(), hash: [0; HASH] };
    hashed.hash = computed(&hashed, password).await?;
    Ok(hashed)
}

/// Whether a password is the one that was hashed. It takes the same time where there is none.
pub async fn verify(hashed: Option<&Hashed>, password: &str) -> Result<bool, Failed> {
    let against = hashed.unwrap_or(&NOBODY);
    let hash = computed(against, password).await?;
    Ok(bool::from(hash.ct_eq(&against.hash)) & hashed.is_some())
}

async fn computed(with: &Hashed, password: &str) -> Result<[u8; HASH], Failed> {
    let Ok(_place) = WAITING.try_acquire() else { return Err(busy()) };
    let _turn = WORKING.acquire().await.map_err(|e| Failed::broken(&e))?;
    let params =
        Params::new(with.memory, with.passes, with.lanes, Some(HASH)).map_err(|e| Failed::broken(&e))?;
    let (salt, password) = (with.salt, password.as_bytes().to_vec());
    let work = move || {
        let mut hash = [0; HASH];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&password, &salt, &mut hash)
            .map(|()| hash)
    };
    let hash = tokio::task::spawn_blocking(work).await.map_err(|e| Failed::broken(&e))?;
    hash.map_err(|e| Failed::broken(&e))
}

fn busy() -> Failed {
    Failed::Page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many are signing in at this moment".to_owned(),
        "Go back and try again in a few seconds.".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_fits() {
        let hashed = hash("correct horse battery").await.unwrap();
        assert!(verify(Some(&hashed), "correct horse battery").await.unwrap());
        assert!(!verify(Some(&hashed), "correct horse batterz").await.unwrap());
        assert!(!verify(None, "correct horse battery").await.unwrap());
        let text = serde_json::to_string(&hashed).unwrap();
        let read: Hashed = serde_json::from_str(&text).unwrap();
        assert!(verify(Some(&read), "correct horse battery").await.unwrap());
        let other = hash("correct horse battery").await.unwrap();
        assert_ne!(other.hash, hashed.hash);
    }

    #[test]
    fn what_would_be_tried_first_is_refused() {
        assert_eq!(problem("ana", "harbour lights at dawn", "harbour lights at dawn"), None);
        assert_eq!(problem("ana", "пароль-из-слов-ок", "пароль-из-слов-ок"), None);
        for (login, password) in [
            ("ana", "short"),
            ("ana", "aaaaaaaaaaaaaaaa"),
            ("ana", "my-Password-2026"),
            ("mara", "the-mara-of-winter"),
        ] {
            assert!(problem(login, password, password).is_some(), "{password}");
        }
        assert!(problem("ana", "harbour lights at dawn", "harbour lights at dusk").is_some());
        assert!(problem("ana", &"ab c1".repeat(60), &"ab c1".repeat(60)).is_some());
    }
}
