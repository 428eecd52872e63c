//! The settings of an application: `config/application.rb`, `config/environment.rb`,
//! `config/environments/*.rb` and `config/initializers/**/*.rb`, read without running them.
//!
//! Every assignment and command is kept as one [`Setting`] under its dotted path, in the order in
//! which Rails runs the files; the questions ([`Config::effective`], [`Config::session`] …) answer for
//! production. The Rails 2 spellings (`config.action_controller.session = {…}`,
//! `ActionController::Base.session_store = :x`) and the later ones come out under the same keys where
//! Rails itself treats them the same.

mod cors;
mod csp;
mod defaults;
mod read;
mod session;
pub(crate) mod value;

use std::collections::BTreeMap;

use serde::Serialize;
use wardroom_ruby::ir::Span;

pub use cors::{CorsResource, CorsRule};
pub use csp::Csp;
pub use defaults::{default_of, turned_on_by};
pub use session::Session;
pub use value::SettingValue;

use crate::gems::{Gems, RubyFile, Version};

/// How a setting changes what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// `=`, and commands (`config.session_store …`).
    Set,
    /// `||=`
    SetIfUnset,
    /// `+=`, `<<`, `push`, `merge!`: adds to a list or hash.
    Add,
    /// `-=`, `delete`: takes the named entries away.
    Remove,
    /// `clear`
    Clear,
}

/// When Rails runs the place of a setting: later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Stage {
    /// `config/application.rb`, `config/environment.rb`
    Application,
    /// `config/environments/*.rb`
    Environment,
    /// `config/initializers/**/*.rb`
    Initializer,
    /// Inside `config.after_initialize` or `config.to_prepare`.
    Late,
}

/// One setting as it is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// The dotted path: `action_dispatch.cookies_serializer`, `force_ssl`, `devise.secret_key`,
    /// `rack/attack.throttle`; for a constant its name as written.
    pub key: String,
    /// What it is set to. A command with several arguments is a list; a bare one is `true`.
    pub value: SettingValue,
    /// How it changes what was there.
    pub change: Change,
    /// The only environment in which it holds; `None` where it holds in production and others.
    pub environment: Option<String>,
    /// Whether it stands under a condition that the reader cannot decide.
    pub conditional: bool,
    /// When it runs.
    pub stage: Stage,
    /// The file.
    pub file: u32,
    /// The whole statement.
    pub span: Span,
}

impl Setting {
    /// Whether it holds in an environment, as far as its place tells.
    pub fn applies_to(&self, environment: &str) -> bool {
        self.environment.as_deref().is_none_or(|e| e == environment)
    }
}

/// A call on `config.middleware`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Middleware {
    /// `use`, `insert_before`, `insert_after`, `unshift`, `swap`, `delete` …
    pub operation: String,
    /// Its arguments: classes are `Const` or (old style) `Str`.
    pub arguments: Vec<SettingValue>,
    /// The only environment in which it holds.
    pub environment: Option<String>,
    /// Whether it stands under a condition that the reader cannot decide.
    pub conditional: bool,
    /// The file.
    pub file: u32,
    /// The whole call.
    pub span: Span,
}

impl Middleware {
    /// Whether one of the arguments is this class.
    pub fn names(&self, class: &str) -> bool {
        self.arguments.iter().filter_map(SettingValue::as_text).any(|t| t.trim_start_matches("::") == class)
    }
}

/// A secret written into the code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecretLiteral {
    /// The key it stands under: `secret_key_base`, `session.secret`, `devise.pepper`.
    pub key: String,
    /// The secret.
    pub value: String,
    /// The only environment in which it holds.
    pub environment: Option<String>,
    /// The file.
    pub file: u32,
    /// The statement.
    pub span: Span,
}

/// What a key comes to in production.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective<'a> {
    /// The value.
    pub value: SettingValue,
    /// Where it is set; `None` where it is Rails' default.
    pub setting: Option<&'a Setting>,
    /// Whether nothing undecided (a condition, an expression, `ENV`) could make it another value.
    pub certain: bool,
}

/// The settings of one application.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Config {
    /// All settings, in the order in which Rails runs them.
    pub settings: Vec<Setting>,
    /// `config.middleware` calls, in the same order.
    pub middleware: Vec<Middleware>,
    /// Content security policies, in the same order.
    pub policies: Vec<Csp>,
    /// The rules of `rack-cors`.
    pub cors: Vec<CorsRule>,
    /// `config.load_defaults`.
    pub load_defaults: Option<Version>,
    /// The version of Rails.
    pub rails: Option<Version>,
    #[serde(skip)]
    keys: BTreeMap<String, Vec<usize>>,
}

impl Config {
    /// Reads the files that hold settings; files of other paths are passed over, so a caller may
    /// hand in every Ruby file. Initializers of engines (`…/config/initializers/`) count too;
    /// those below `spec/` and `test/` do not.
    pub fn read(files: &[RubyFile<'_>], gems: &Gems) -> Config {
        let mut config = Config { rails: gems.rails_version(), ..Config::default() };
        let mut order: Vec<_> = files
            .iter()
            .filter_map(|&(file, path, root)| Some((place_of(path)?, path, file, root)))
            .collect();
        order.sort_by(|a, b| (a.0.0, a.1).cmp(&(b.0.0, b.1)));
        for ((stage, environment), _, file, root) in order {
            read::read_file(&mut config, file, stage, environment, root);
        }
        // Stable: within a stage the files' order and the order in the file stay.
        config.settings.sort_by_key(|s| s.stage);
        for (index, setting) in config.settings.iter().enumerate() {
            config.keys.entry(setting.key.clone()).or_default().push(index);
        }
        config.load_defaults = config.last("load_defaults").map_or(gems.load_defaults, |s| match &s.value {
            SettingValue::Float(number) => Version::parse(&format!("{number:.1}")),
            SettingValue::Str(text) => Version::parse(text),
            SettingValue::Int(number) => u32::try_from(*number).ok().map(|n| Version(n, 0, 0)),
            // `Rails::VERSION::STRING.to_f`
            _ => config.rails,
        });
        csp::finish(&mut config);
        config
    }

    /// Every setting of a key, in the order in which Rails runs them.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Setting> + use<'a> {
        self.keys.get(key).into_iter().flatten().map(|&i| &self.settings[i])
    }

    /// The settings whose key starts with a prefix (`devise.`), in the order of their keys.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Setting> + use<'a> {
        self.keys
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .flat_map(|(_, indices)| indices.iter().map(|&i| &self.settings[i]))
    }

    /// The last setting of a key that holds in production, whether or not it is conditional.
    pub fn last(&self, key: &str) -> Option<&Setting> {
        self.all(key).filter(|s| s.applies_to("production")).last()
    }

    /// What a key comes to in production: what the application sets last, else what
    /// `load_defaults` and the installed Rails say.
    pub fn effective(&self, key: &str) -> Option<Effective<'_>> {
        self.effective_in(key, "production")
    }

    /// What a key comes to in an environment.
    pub fn effective_in(&self, key: &str, environment: &str) -> Option<Effective<'_>> {
        let default = || default_of(key, self.load_defaults, self.rails);
        let mut now: Option<Effective<'_>> = None;
        for setting in self.all(key).filter(|s| s.applies_to(environment)) {
            let before = now
                .take()
                .or_else(|| default().map(|value| Effective { value, setting: None, certain: true }));
            let open = setting.conditional || !setting.value.is_literal();
            let known = before.as_ref().is_none_or(|b| b.certain);
            let base = before.map(|b| b.value);
            let (value, certain) = match setting.change {
                Change::Set => (setting.value.clone(), !open),
                Change::SetIfUnset => match base {
                    Some(value) if value != SettingValue::Nil => (value, known),
                    _ => (setting.value.clone(), !open),
                },
                Change::Add => (add(base, &setting.value), known && !open),
                Change::Remove => (remove(base, &setting.value), known && !open),
                Change::Clear => (clear(base), !setting.conditional),
            };
            now = Some(Effective { value, setting: Some(setting), certain });
        }
        now.or_else(|| default().map(|value| Effective { value, setting: None, certain: true }))
    }

    /// A switch in production: `None` where it is neither set nor has a known default, or where
    /// it is set to an expression.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.effective(key).and_then(|e| e.value.as_bool())
    }

    /// `config.force_ssl`, or the middleware that did the same before Rails 3.1.
    pub fn force_ssl(&self) -> Option<Effective<'_>> {
        let switched = self.effective("force_ssl");
        if switched.as_ref().is_some_and(|e| e.setting.is_some()) {
            return switched;
        }
        let by_middleware = self.middleware.iter().any(|m| {
            m.environment.as_deref().is_none_or(|e| e == "production")
                && !m.operation.starts_with("delete")
                && ["Rack::SSL", "Rack::SslEnforcer", "ActionDispatch::SSL"]
                    .iter()
                    .any(|class| m.names(class))
        });
        if by_middleware {
            return Some(Effective { value: SettingValue::Bool(true), setting: None, certain: false });
        }
        switched
    }

    /// `config.filter_parameters`: the names and patterns that are kept out of the logs; patterns
    /// are `Expr`. Rails matches a name anywhere in a parameter's name.
    pub fn filter_parameters(&self) -> Vec<SettingValue> {
        let list = self.effective("filter_parameters").map(|e| e.value.items().to_vec()).unwrap_or_default();
        // The Rails 2 spelling is `filter_parameter_logging` in a controller: not a setting.
        list
    }

    /// `config.hosts`: `None` where the application does not touch it.
    pub fn hosts(&self) -> Option<Effective<'_>> {
        self.effective("hosts").filter(|e| e.setting.is_some())
    }

    /// `config.action_cable.allowed_request_origins`.
    pub fn cable_origins(&self) -> Option<Effective<'_>> {
        self.effective("action_cable.allowed_request_origins")
    }

    /// The headers that every response carries in production, by name in lower case.
    pub fn response_headers(&self) -> BTreeMap<String, SettingValue> {
        let mut headers = BTreeMap::new();
        if let Some(Effective { value: SettingValue::Hash(pairs), .. }) =
            self.effective("action_dispatch.default_headers")
        {
            headers.extend(pairs.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)));
        }
        const BELOW: &str = "action_dispatch.default_headers.";
        for setting in self.below(BELOW).filter(|s| s.applies_to("production")) {
            headers.insert(setting.key[BELOW.len()..].to_ascii_lowercase(), setting.value.clone());
        }
        headers.retain(|_, value| *value != SettingValue::Nil);
        headers
    }

    /// The content security policy that production sends: the last one that is declared there.
    pub fn csp(&self) -> Option<&Csp> {
        self.policies.iter().rfind(|p| p.environment.as_deref().is_none_or(|e| e == "production"))
    }

    /// The session store and the options of its cookie in production.
    pub fn session(&self) -> Option<Session> {
        session::session(self)
    }

    /// Secrets that stand in the settings as literals.
    pub fn secrets(&self) -> Vec<SecretLiteral> {
        let mut out = Vec::new();
        for setting in &self.settings {
            let name = setting.key.rsplit(['.', ':']).next().unwrap_or(&setting.key);
            secrets_in(&setting.key, name, &setting.value, setting, &mut out, 0);
        }
        out
    }
}

/// What a file's place says of it: its stage and its environment. `None` for a file that holds no
/// settings.
fn place_of(path: &str) -> Option<(Stage, Option<&str>)> {
    if path == "config/application.rb"
        || path == "config/environment.rb"
        || path == "config/additional_environment.rb"
    {
        return Some((Stage::Application, None));
    }
    if let Some(name) = path.strip_prefix("config/environments/").and_then(|p| p.strip_suffix(".rb")) {
        return Some((Stage::Environment, (!name.contains('/')).then_some(name)));
    }
    let initializer = path.starts_with("config/initializers/") || path.contains("/config/initializers/");
    let of_tests = path.split('/').any(|part| matches!(part, "spec" | "test" | "templates" | "features"));
    (initializer && !of_tests && path.ends_with(".rb")).then_some((Stage::Initializer, None))
}

fn add(base: Option<SettingValue>, value: &SettingValue) -> SettingValue {
    match (base, value) {
        (Some(SettingValue::Hash(mut pairs)), SettingValue::Hash(new)) => {
            for (key, value) in new {
                pairs.retain(|(k, _)| k != key);
                pairs.push((key.clone(), value.clone()));
            }
            SettingValue::Hash(pairs)
        }
        (None | Some(SettingValue::Nil), SettingValue::Hash(_)) => value.clone(),
        (base, value) => {
            // A list that grows line by line is not copied each time.
            let mut items = match base {
                Some(SettingValue::List(items)) => items,
                None | Some(SettingValue::Nil) => Vec::new(),
                Some(one) => vec![one],
            };
            items.extend(value.items().iter().cloned());
            SettingValue::List(items)
        }
    }
}

fn remove(base: Option<SettingValue>, value: &SettingValue) -> SettingValue {
    match base {
        Some(SettingValue::Hash(mut pairs)) => {
            let gone: Vec<&str> = value.items().iter().filter_map(SettingValue::as_text).collect();
            pairs.retain(|(k, _)| !gone.contains(&k.as_str()));
            SettingValue::Hash(pairs)
        }
        Some(SettingValue::List(mut items)) => {
            items.retain(|item| !value.items().contains(item));
            SettingValue::List(items)
        }
        other => other.unwrap_or(SettingValue::Nil),
    }
}

fn clear(base: Option<SettingValue>) -> SettingValue {
    match base {
        Some(SettingValue::Hash(_)) => SettingValue::Hash(Vec::new()),
        _ => SettingValue::List(Vec::new()),
    }
}

/// Names under which a secret is kept. `key` alone is a cookie's name.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    const ENDS: &[&str] = &[
        "secret",
        "secrets",
        "secret_token",
        "secret_key_base",
        "secret_key",
        "pepper",
        "password",
        "passwd",
        "api_key",
        "private_key",
        "access_key",
        "access_token",
        "auth_token",
        "encryption_key",
        "primary_key",
        "deterministic_key",
        "key_derivation_salt",
        "signing_key",
        "secret_access_key",
        "passphrase",
    ];
    ENDS.iter().any(|end| name.ends_with(end)) && !name.starts_with("filter_")
}

fn secrets_in(
    key: &str,
    name: &str,
    value: &SettingValue,
    setting: &Setting,
    out: &mut Vec<SecretLiteral>,
    depth: u32,
) {
    let literal = match value {
        SettingValue::Str(text) => Some(text),
        SettingValue::Env { default: Some(default), .. } => match default.as_ref() {
            SettingValue::Str(text) => Some(text),
            _ => None,
        },
        SettingValue::Hash(pairs) if depth < 6 => {
            for (inner, value) in pairs {
                secrets_in(&format!("{key}.{inner}"), inner, value, setting, out, depth + 1);
            }
            None
        }
        SettingValue::List(items) if depth < 6 => {
            for item in items.iter().filter(|i| matches!(i, SettingValue::Hash(_))) {
                secrets_in(key, "", item, setting, out, depth + 1);
            }
            None
        }
        _ => None,
    };
    if let Some(text) = literal.filter(|t| t.len() >= 8 && is_secret_name(name)) {
        out.push(SecretLiteral {
            key: key.to_owned(),
            value: text.clone(),
            environment: setting.environment.clone(),
            file: setting.file,
            span: setting.span,
        });
    }
}

#[cfg(test)]
mod tests;
