//! What PostgreSQL says, in the store's words.

use wardroom_store::StoreError;

/// The store's error for PostgreSQL's. None of its texts holds an address with a password: the driver
/// names hosts and users alone.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub fn failed(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(told) => {
            let code = told.code().unwrap_or_default();
            told_by_code(&code, told.message())
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Damaged(error.to_string()),
        sqlx::Error::PoolTimedOut => StoreError::Unavailable("no connection to the database".to_owned()),
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable(format!("the connection to the database broke off ({error})"))
        }
        // What comes in the middle of an answer when a server goes away.
        sqlx::Error::Protocol(_) => StoreError::Unavailable(format!("the database answers oddly ({error})")),
        sqlx::Error::Tls(_) => StoreError::Other(format!("the database is not who it should be: {error}")),
        _ => StoreError::Other(format!("the database: {error}")),
    }
}

/// By the codes in PostgreSQL's appendix A; their first two characters are the class.
fn told_by_code(code: &str, message: &str) -> StoreError {
    match (code, code.get(..2).unwrap_or_default()) {
        ("53100", _) => StoreError::Unwritable(format!("no room is left ({message}); nothing was changed")),
        // Lock not available, too many connections, idle in a transaction, deadlock, no turn in a row.
        ("55P03", _) => StoreError::Unavailable(format!(
            "another server has been writing for longer than this one waits ({message})"
        )),
        ("53300" | "25P03", _) | (_, "08" | "57" | "40") => StoreError::Unavailable(message.to_owned()),
        (_, "53") => StoreError::Unavailable(message.to_owned()),
        ("25006" | "42501", _) => StoreError::Unwritable(message.to_owned()),
        (_, "XX") => StoreError::Damaged(format!("{message} (code {code})")),
        (_, "28" | "3D") => {
            StoreError::Other(format!("the database does not let this program in: {message}"))
        }
        _ => StoreError::Other(format!("the database: {message} (code {code})")),
    }
}
