//! Routes that libraries' own words make: Devise, Doorkeeper and devise_token_auth.

use wardroom_model::Verb;
use wardroom_ruby::ir::{Block, Kind};

use super::Target;
use super::mapper::Body;
use super::reader::Reader;
use super::scope::joined;
use super::value::{Keywords, Value, normalise};
use crate::inflect;

/// Devise's modules that have routes, with the part of the mapping each makes.
const DEVISE: [(&str, &str); 7] = [
    ("database_authenticatable", "sessions"),
    ("recoverable", "passwords"),
    ("registerable", "registrations"),
    ("confirmable", "confirmations"),
    ("lockable", "unlocks"),
    ("invitable", "invitations"),
    ("omniauthable", "omniauth_callbacks"),
];

impl<'a> Reader<'a> {
    /// `devise_for :users, …`: the endpoints of the modules that the model has; where the model is
    /// not known, those that nearly every one has and those whose controllers are named.
    pub(super) fn devise_for(&mut self, words: Vec<Value<'a>>, options: Keywords<'a>) {
        for word in words.iter().filter_map(Value::word) {
            self.devise_resource(&word, &options);
        }
    }

    fn devise_resource(&mut self, word: &str, options: &Keywords<'a>) {
        let pairs = |name: &str| match options.get(name) {
            Some(Value::Map(pairs)) => pairs.clone(),
            _ => Vec::new(),
        };
        let custom = pairs("controllers");
        let listed = |name: &str, wanted: &str| {
            let words = options.get(name).map(Value::words)?;
            Some(words.iter().any(|w| w == "all" || inflect::plural(w) == wanted))
        };
        let module = options.word("module").or_else(|| self.scope.module.clone());
        let controller = |part: &str| {
            let own = custom.iter().find(|(k, _)| {
                k.word().is_some_and(|k| k == part || (part == "omniauth_callbacks" && k == "omniauth"))
            });
            match own.and_then(|(_, v)| v.word()) {
                Some(given) => given.trim_start_matches('/').to_owned(),
                None => joined(Some(module.as_deref().unwrap_or("devise")), part, "/"),
            }
        };
        let class = options.word("class_name").unwrap_or_else(|| inflect::singular(word));
        let class = inflect::underscore(class.trim_start_matches("::"));
        let modules = self.settings.devise.iter().find(|(model, _)| inflect::underscore(model) == class);
        let has = |module: &str, part: &str| match modules {
            Some((_, modules)) => modules.iter().any(|m| m == module),
            None => {
                matches!(part, "sessions" | "passwords" | "registrations")
                    || custom.iter().any(|(k, _)| k.word().is_some_and(|k| part.starts_with(k.as_str())))
            }
        };
        let mut names = self.scope.path_names.clone();
        names.extend(pairs("path_names").iter().filter_map(|(k, v)| Some((k.word()?, v.word()?))));
        let path_name = |name: &str| -> String {
            let given = names.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.clone());
            given.unwrap_or_else(|| if name == "registration" { String::new() } else { name.to_owned() })
        };
        let prefix = options.word("path_prefix").unwrap_or_else(|| self.scope.path.clone());
        let own_path = options.word("path").unwrap_or_else(|| word.to_owned());
        let base = normalise(&format!("{prefix}/{own_path}"));
        let name = options.word("singular").unwrap_or_else(|| {
            inflect::singular(&match options.word("as").or_else(|| self.scope.prefix.clone()) {
                Some(scope) => format!("{scope}_{word}"),
                None => word.replace('/', "_"),
            })
        });
        let out_verbs: Vec<Verb> = options
            .get("sign_out_via")
            .map(Value::words)
            .unwrap_or_default()
            .iter()
            .filter_map(|w| Verb::parse(w))
            .collect();
        let out_verbs = if out_verbs.is_empty() { vec![Verb::Delete] } else { out_verbs };
        let update: &[Verb] =
            if self.settings.rails.0 >= 4 { &[Verb::Patch, Verb::Put] } else { &[Verb::Put] };
        let mut table: Vec<(&str, Vec<Verb>, String, &str, String)> = Vec::new();
        for (devise_module, part) in DEVISE {
            let skipped = listed("skip", part).unwrap_or(false) || listed("only", part) == Some(false);
            if skipped || !has(devise_module, part) {
                continue;
            }
            let get = || vec![Verb::Get];
            let post = || vec![Verb::Post];
            let sign = |path: &str| format!("/{}", path_name(path));
            let two = |first: &str, then: &str| format!("/{}/{}", path_name(first), path_name(then));
            match part {
                "sessions" => table.extend([
                    (part, get(), sign("sign_in"), "new", format!("new_{name}_session")),
                    (part, post(), sign("sign_in"), "create", format!("{name}_session")),
                    (part, out_verbs.clone(), sign("sign_out"), "destroy", format!("destroy_{name}_session")),
                ]),
                "passwords" => table.extend([
                    (part, get(), two("password", "new"), "new", format!("new_{name}_password")),
                    (part, get(), two("password", "edit"), "edit", format!("edit_{name}_password")),
                    (part, update.to_vec(), sign("password"), "update", format!("{name}_password")),
                    (part, post(), sign("password"), "create", String::new()),
                ]),
                "registrations" => {
                    let at = |tail: &str| format!("/{}/{tail}", path_name("registration"));
                    table.extend([
                        (
                            part,
                            get(),
                            at(&path_name("cancel")),
                            "cancel",
                            format!("cancel_{name}_registration"),
                        ),
                        (part, get(), at(&path_name("sign_up")), "new", format!("new_{name}_registration")),
                        (part, get(), at(&path_name("edit")), "edit", format!("edit_{name}_registration")),
                        (part, update.to_vec(), at(""), "update", format!("{name}_registration")),
                        (part, vec![Verb::Delete], at(""), "destroy", String::new()),
                        (part, post(), at(""), "create", String::new()),
                    ]);
                }
                "confirmations" | "unlocks" => {
                    let one = inflect::singular(part);
                    let one = if part == "unlocks" { "unlock" } else { one.as_str() };
                    table.extend([
                        (part, get(), two(one, "new"), "new", format!("new_{name}_{one}")),
                        (part, get(), sign(one), "show", format!("{name}_{one}")),
                        (part, post(), sign(one), "create", String::new()),
                    ]);
                }
                "invitations" => {
                    let at = |tail: &str| format!("/{}/{}", path_name("invitation"), path_name(tail));
                    table.extend([
                        (part, get(), at("accept"), "edit", format!("accept_{name}_invitation")),
                        (part, get(), at("remove"), "destroy", format!("remove_{name}_invitation")),
                        (part, get(), at("new"), "new", format!("new_{name}_invitation")),
                        (part, update.to_vec(), sign("invitation"), "update", format!("{name}_invitation")),
                        (part, post(), sign("invitation"), "create", String::new()),
                    ]);
                }
                _ => {
                    let both = vec![Verb::Get, Verb::Post];
                    table.extend([
                        (part, both.clone(), "/auth/:provider".to_owned(), "passthru", String::new()),
                        (part, both, "/auth/:provider/callback".to_owned(), ":provider", String::new()),
                    ]);
                }
            }
        }
        for (part, verbs, path, action, name) in table {
            let target = Target::Action { controller: controller(part), action: action.to_owned() };
            let name = (!name.is_empty()).then_some(name);
            let scope_options = options.get("constraints").cloned();
            let mut route_options = Keywords::default();
            if let Some(constraints) = scope_options {
                route_options.set("constraints", constraints);
            }
            self.emit(&format!("{base}{path}"), target, name, &route_options, &verbs);
        }
    }

    /// `mount_devise_token_auth_for 'User', at: 'auth'`.
    pub(super) fn token_auth(&mut self, words: Vec<Value<'a>>, mut options: Keywords<'a>) {
        let Some(model) = words.first().and_then(Value::word) else { return };
        let at = options.take("at").and_then(|v| v.word()).unwrap_or_else(|| "auth".to_owned());
        options.set("path", Value::Str(at));
        options.set("class_name", Value::Str(model.clone()));
        if !options.has("module") {
            options.set("module", Value::str("devise_token_auth"));
        }
        let word = inflect::plural(&inflect::underscore(&model)).replace('/', "_");
        self.devise_resource(&word, &options);
        let path = options.word("path").unwrap_or_default();
        let target = Target::Action {
            controller: "devise_token_auth/token_validations".to_owned(),
            action: "validate_token".to_owned(),
        };
        let full = format!("{}/{path}/validate_token", self.scope.path);
        self.emit(&full, target, None, &Keywords::default(), &[Verb::Get]);
    }

    /// `api_version(module: "Api::V1", path: { value: "api/v1" }) do` of versionist.
    pub(super) fn api_version(&mut self, options: Keywords<'a>, body: Body<'a, '_>) {
        let mut inner = Keywords::default();
        if let Some(module) = options.word("module") {
            inner.set("module", Value::Str(inflect::underscore(&module)));
        }
        if let Some(defaults) = options.get("defaults") {
            inner.set("defaults", defaults.clone());
        }
        if let Some(Value::Map(pairs)) = options.get("path")
            && let Some((_, path)) = pairs.iter().find(|(k, _)| k.known() == Some("value"))
        {
            inner.set("path", path.clone());
        }
        self.scope_block(&[], inner, body);
    }

    /// `use_doorkeeper do … end`.
    pub(super) fn doorkeeper(&mut self, block: Option<&'a Block>) {
        let mut custom: Vec<(String, String)> = Vec::new();
        let mut skipped: Vec<String> = Vec::new();
        let statements = match block.map(|b| &b.body.kind) {
            Some(Kind::Seq(nodes)) => nodes.as_slice(),
            _ => block.map(|b| std::slice::from_ref(&b.body)).unwrap_or_default(),
        };
        for node in statements {
            let Kind::Call(call) = &node.kind else { continue };
            for value in self.arguments(call) {
                match (call.name.as_str(), value) {
                    ("controllers", Value::Map(pairs)) => {
                        custom.extend(pairs.iter().filter_map(|(k, v)| Some((k.word()?, v.word()?))));
                    }
                    ("skip_controllers", value) => skipped.extend(value.words()),
                    _ => {}
                }
            }
        }
        const TABLE: [(Verb, &str, &str, &str, &str); 18] = [
            (Verb::Get, "/authorize/native", "authorizations", "show", "native_oauth_authorization"),
            (Verb::Get, "/authorize", "authorizations", "new", "oauth_authorization"),
            (Verb::Delete, "/authorize", "authorizations", "destroy", ""),
            (Verb::Post, "/authorize", "authorizations", "create", ""),
            (Verb::Post, "/token", "tokens", "create", "oauth_token"),
            (Verb::Post, "/revoke", "tokens", "revoke", "oauth_revoke"),
            (Verb::Post, "/introspect", "tokens", "introspect", "oauth_introspect"),
            (Verb::Get, "/applications", "applications", "index", "oauth_applications"),
            (Verb::Post, "/applications", "applications", "create", ""),
            (Verb::Get, "/applications/new", "applications", "new", "new_oauth_application"),
            (Verb::Get, "/applications/:id/edit", "applications", "edit", "edit_oauth_application"),
            (Verb::Get, "/applications/:id", "applications", "show", "oauth_application"),
            (Verb::Patch, "/applications/:id", "applications", "update", ""),
            (Verb::Put, "/applications/:id", "applications", "update", ""),
            (Verb::Delete, "/applications/:id", "applications", "destroy", ""),
            (
                Verb::Get,
                "/authorized_applications",
                "authorized_applications",
                "index",
                "oauth_authorized_applications",
            ),
            (
                Verb::Delete,
                "/authorized_applications/:id",
                "authorized_applications",
                "destroy",
                "oauth_authorized_application",
            ),
            (Verb::Get, "/token/info", "token_info", "show", "oauth_token_info"),
        ];
        for (verb, path, part, action, name) in TABLE {
            if skipped.iter().any(|s| s == part) {
                continue;
            }
            let own = custom.iter().rev().find(|(k, _)| k == part).map(|(_, v)| v.clone());
            let controller = own.unwrap_or_else(|| format!("doorkeeper/{part}"));
            self.library_route(verb, &format!("/oauth{path}"), &controller, action, name);
        }
    }

    /// `use_doorkeeper_openid_connect`.
    pub(super) fn doorkeeper_openid(&mut self) {
        let discovery = "doorkeeper/openid_connect/discovery";
        let userinfo = "doorkeeper/openid_connect/userinfo";
        for (verb, path, controller, action, name) in [
            (Verb::Get, "/oauth/userinfo", userinfo, "show", "oauth_userinfo"),
            (Verb::Post, "/oauth/userinfo", userinfo, "show", ""),
            (Verb::Get, "/oauth/discovery/keys", discovery, "keys", "oauth_discovery_keys"),
            (
                Verb::Get,
                "/.well-known/openid-configuration",
                discovery,
                "provider",
                "oauth_discovery_provider",
            ),
            (Verb::Get, "/.well-known/webfinger", discovery, "webfinger", "oauth_discovery_webfinger"),
        ] {
            self.library_route(verb, path, controller, action, name);
        }
    }

    /// `use_doorkeeper_device_authorization_grant`.
    pub(super) fn doorkeeper_device(&mut self) {
        let part = "doorkeeper/device_authorization_grant";
        for (verb, path, controller, action) in [
            (Verb::Post, "/oauth/authorize_device", "device_codes", "create"),
            (Verb::Get, "/oauth/device", "device_authorizations", "index"),
            (Verb::Post, "/oauth/device", "device_authorizations", "authorize"),
        ] {
            self.library_route(verb, path, &format!("{part}/{controller}"), action, "");
        }
    }

    fn library_route(&mut self, verb: Verb, path: &str, controller: &str, action: &str, name: &str) {
        let target = Target::Action { controller: controller.to_owned(), action: action.to_owned() };
        let name = (!name.is_empty()).then(|| name.to_owned());
        let full = format!("{}{path}", self.scope.path);
        self.emit(&full, target, name, &Keywords::default(), &[verb]);
    }
}
