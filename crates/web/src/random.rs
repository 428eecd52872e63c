//! Secrets that nobody can guess, and how they are kept.

use sha2::{Digest, Sha256};

/// A secret of 256 bits, as text for cookies, links and tokens.
pub fn secret() -> String {
    hex(&bytes::<32>())
}

/// Random bytes from the system.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without the system's randomness nothing here is safe: stopping the request is all that is left.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// What is kept of a secret: it can be compared, not used.
pub fn kept(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
