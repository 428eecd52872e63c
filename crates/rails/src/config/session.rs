//! Where sessions are kept and how their cookie is set.

use serde::Serialize;
use wardroom_ruby::ir::Span;

use super::{Change, Config, Setting, SettingValue};

/// The session store and the options of its cookie in production.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Session {
    /// `cookie_store`, `active_record_store`, `disabled` …; `None` where only options are set: the
    /// cookie store is Rails' own choice then.
    pub store: Option<String>,
    /// `key`, `secure`, `httponly`, `same_site`, `secret`, `expire_after`, `domain` … The Rails 2
    /// names (`session_key`, `session_secure`, `session_http_only`) come out under the later ones.
    pub options: Vec<(String, SettingValue)>,
    /// Whether a condition that the reader cannot decide stands over one of the settings.
    pub conditional: bool,
    /// The file of the last setting.
    pub file: u32,
    /// The last setting.
    pub span: Span,
}

impl Session {
    /// An option by its present name.
    pub fn option(&self, name: &str) -> Option<&SettingValue> {
        self.options.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Whether the session's data travels in the cookie.
    pub fn in_cookie(&self) -> bool {
        self.store.as_deref().is_none_or(|s| s.contains("cookie"))
    }

    fn set(&mut self, name: &str, value: &SettingValue) {
        let name = match name {
            "session_key" => "key",
            "session_secure" => "secure",
            "session_http_only" | "http_only" | "session_httponly" => "httponly",
            "session_domain" => "domain",
            "session_path" => "path",
            "session_expires" => "expire_after",
            other => other,
        };
        self.options.retain(|(n, _)| n != name);
        self.options.push((name.to_owned(), value.clone()));
    }

    fn set_all(&mut self, value: &SettingValue) {
        if let SettingValue::Hash(pairs) = value {
            pairs.iter().for_each(|(name, value)| self.set(name, value));
        }
    }
}

/// What can stand in front of the session's settings; Rails 2.3 and older had them on the controller
/// and on the CGI request.
const PREFIXES: [&str; 4] =
    ["action_controller.", "action_dispatch.", "action_controller/cgi_request.", "rails/application."];

pub(super) fn session(config: &Config) -> Option<Session> {
    let mut out: Option<Session> = None;
    for setting in config.settings.iter().filter(|s| s.applies_to("production")) {
        let Some(name) = session_key(&setting.key) else { continue };
        // A store that stands in the other branch of a condition does not take an earlier one's
        // place where that one is unconditional.
        let session = out.get_or_insert_with(Session::default);
        apply(session, name, setting);
        session.conditional |= setting.conditional;
        session.file = setting.file;
        session.span = setting.span;
    }
    out
}

fn session_key(key: &str) -> Option<&str> {
    let name = PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key);
    let head = name.split('.').next()?;
    matches!(head, "session_store" | "session" | "session_options" | "DEFAULT_SESSION_OPTIONS")
        .then_some(name)
}

fn apply(session: &mut Session, name: &str, setting: &Setting) {
    match name {
        "session_store" => {
            // The command sets store and options together; the plain assignment only the store.
            if matches!(setting.value, SettingValue::List(_)) {
                session.options.clear();
            }
            for value in setting.value.items() {
                match value {
                    SettingValue::Hash(_) => session.set_all(value),
                    SettingValue::Nil => session.store = Some("nil".to_owned()),
                    _ => {
                        if let Some(text) = value.as_text() {
                            session.store = Some(text.to_owned());
                        }
                    }
                }
            }
            if matches!(setting.value, SettingValue::Bool(false)) {
                session.store = Some("disabled".to_owned());
            }
        }
        "session" | "session_options" | "DEFAULT_SESSION_OPTIONS" => {
            if setting.change == Change::Set {
                session.options.clear();
            }
            session.set_all(&setting.value);
        }
        _ => {
            if let Some((_, option)) = name.split_once('.') {
                session.set(option, &setting.value);
            }
        }
    }
}
