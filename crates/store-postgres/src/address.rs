//! Where a database is, from what people write.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The file with the key that signs, where the address names none.
const KEY: &str = "desk.key";

/// What may stand behind the question mark. Anything else is refused: `ssl_mode` for `sslmode` would
/// connect without what was asked for.
const PARAMETERS: &[&str] =
    &["host", "port", "user", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"];

const MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The address of a database: `postgres://user@host/database`.
///
/// It is shown without password and parameters, by `Display` and `Debug` alike.
#[derive(Clone)]
pub struct Address {
    pub(crate) connect: PgConnectOptions,
    key: PathBuf,
}

/// Why a text is no address. It never repeats the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no address of a PostgreSQL database: {0}")]
pub struct BadAddress(String);

impl Address {
    /// Whether a text is meant as one.
    pub fn is_meant(text: &str) -> bool {
        let lower = text.get(..13).unwrap_or(text).to_ascii_lowercase();
        lower.starts_with("postgres:") || lower.starts_with("postgresql:")
    }

    /// The file that holds the key which signs checkpoints: `signing_key` of the address, else `desk.key`
    /// where the program runs.
    pub fn key_path(&self) -> &Path {
        &self.key
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Address, BadAddress> {
        let bad = |why: &str| BadAddress(why.to_owned());
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(bad("it begins with postgres://"));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut key = PathBuf::from(KEY);
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let mut encrypted = std::env::var_os("PGSSLMODE").is_some();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "signing_key" if value.is_empty() => return Err(bad("signing_key names no file")),
                "signing_key" => key = PathBuf::from(value.into_owned()),
                "password" => {
                    return Err(bad(
                        "a password stands before the @, or better in PGPASSWORD or ~/.pgpass, not among the parameters",
                    ));
                }
                "sslmode" if !MODES.contains(&&*value) => {
                    return Err(BadAddress(format!("sslmode is one of {}", MODES.join(", "))));
                }
                name if PARAMETERS.contains(&name) => {
                    encrypted |= name == "sslmode";
                    rest.append_pair(name, &value);
                }
                // Its name is shown, its value may be a secret.
                name => {
                    let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                    let known = PARAMETERS.join(", ");
                    return Err(BadAddress(format!("`{name}` is none of signing_key, {known}")));
                }
            }
        }
        let rest = rest.finish();
        let whole = if rest.is_empty() { place.to_owned() } else { format!("{place}?{rest}") };
        let mut connect = PgConnectOptions::from_str(&whole).map_err(|error| match error {
            // What is wrong with it, never what it is.
            sqlx::Error::Configuration(why) => BadAddress(why.to_string()),
            _ => bad("it cannot be read"),
        })?;
        if connect.get_database().is_none() {
            return Err(bad("it names no database: postgres://user@host/database"));
        }
        if !encrypted && !is_here(&connect) {
            // Over a network, a password and everything else go to the right server only, or nowhere.
            connect = connect.ssl_mode(PgSslMode::VerifyFull);
        }
        Ok(Address { connect: connect.disable_statement_logging(), key })
    }
}

/// Whether a connection stays on this machine.
fn is_here(connect: &PgConnectOptions) -> bool {
    let host = connect.get_host().trim_matches(['[', ']']);
    connect.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = &self.connect;
        let database = to.get_database().unwrap_or_default();
        match to.get_socket() {
            Some(socket) => write!(f, "postgres://{}@{}/{database}", to.get_username(), socket.display()),
            None => {
                write!(f, "postgres://{}@{}:{}/{database}", to.get_username(), to.get_host(), to.get_port())
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let text =
            "postgres://ana:s3cret%40x@127.0.0.1:6432/desk?signing_key=/etc/wardroom/k&application_name=w";
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), "postgres://ana@127.0.0.1:6432/desk");
        assert_eq!(format!("{address:?}"), address.to_string());
        assert_eq!(address.key_path(), Path::new("/etc/wardroom/k"));
        let plain: Address = "postgresql://ana@localhost/desk".parse().unwrap();
        assert_eq!(plain.key_path(), Path::new("desk.key"));
        assert!(
            Address::is_meant(text) && Address::is_meant("PostgreSQL://x") && !Address::is_meant("desk.db")
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in [
            "mysql://ana:s3cret@h/d",
            "postgres://ana:s3cret@h:port/d",
            "postgres://ana:s3cret@h",
            "postgres://ana:s3cret@h/",
            "postgres://ana:s3cret@h/d?ssl_mode=require",
            "postgres://ana:s3cret@h/d?sslmode=s3cret",
            "postgres://ana@h/d?password=s3cret",
            "postgres://ana:s3cret@h/d?signing_key=",
            "postgres://ana:s3cret@[::/d",
            "postgres://ana:s3cret@h/%ff",
            "postgres:",
            "",
        ] {
            let refused = text.parse::<Address>().unwrap_err().to_string();
            assert!(!refused.contains("s3cret"), "{text}: {refused}");
        }
    }

    #[test]
    fn over_a_network_the_server_is_verified() {
        let mode = |text: &str| text.parse::<Address>().unwrap().connect.get_ssl_mode();
        assert!(matches!(mode("postgres://a@db.example/d"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://a@10.0.0.7/d"), PgSslMode::VerifyFull));
        assert!(matches!(mode("postgres://a@10.0.0.7/d?sslmode=disable"), PgSslMode::Disable));
        assert!(matches!(mode("postgres://a@127.0.0.1/d"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a@[::1]/d"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a@%2Frun%2Fpostgresql/d"), PgSslMode::Prefer));
        assert!(matches!(mode("postgres://a@localhost.evil.example/d"), PgSslMode::VerifyFull));
    }
}
