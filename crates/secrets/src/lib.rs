//! Secrets in text: keys, tokens and passwords that stand where anybody can read them.
//!
//! Pure: bytes go in, findings come out that never hold the secret itself. It never opens a file, a
//! repository or a connection.
