//! What SQLite says, in the store's words.

use wardroom_store::StoreError;

/// Result codes, from SQLite's list of them: the low byte is the class.
mod code {
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const READONLY: i32 = 8;
    pub const IOERR: i32 = 10;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const CANTOPEN: i32 = 14;
    pub const NOTADB: i32 = 26;
    pub const IOERR_READ: i32 = IOERR | (1 << 8);
    pub const IOERR_SHORT_READ: i32 = IOERR | (2 << 8);
}

/// The code of a failure that SQLite gave.
pub fn code_of(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The store's error for SQLite's.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub fn failed(error: sqlx::Error) -> StoreError {
    let Some(found) = code_of(&error) else {
        return match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                StoreError::Damaged(error.to_string())
            }
            _ => StoreError::Other(format!("the database: {error}")),
        };
    };
    let message = error.as_database_error().map_or_else(String::new, |e| e.message().to_owned());
    match (found, found & 0xff) {
        (code::IOERR_READ | code::IOERR_SHORT_READ, _) | (_, code::CORRUPT | code::NOTADB) => {
            StoreError::Damaged(message)
        }
        (_, code::BUSY | code::LOCKED) => StoreError::Unwritable(format!(
            "another process has been writing to it for longer than this one waits ({message}); try again"
        )),
        (_, code::FULL) => {
            StoreError::Unwritable(format!("no room is left ({message}); nothing was changed"))
        }
        (_, code::READONLY | code::IOERR) => StoreError::Unwritable(message),
        (_, code::CANTOPEN) => StoreError::Other(format!("the store cannot be opened: {message}")),
        _ => StoreError::Other(format!("the database: {message} (code {found})")),
    }
}
