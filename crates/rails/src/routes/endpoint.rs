//! `get`, `match`, `root` and `mount`: one call to its paths, handlers and names.

use wardroom_model::Verb;

use super::mapper::Body;
use super::reader::Reader;
use super::scope::{Level, joined};
use super::value::{Keywords, Value, normalise, without_format};
use super::{Route, Target};

impl<'a> Reader<'a> {
    /// `get`, `match` and their kin.
    pub(super) fn declare_routes(
        &mut self,
        mut words: Vec<Value<'a>>,
        mut options: Keywords<'a>,
        verb: Option<Verb>,
        body: Body<'a, '_>,
    ) {
        if words.is_empty() {
            // `get 'path' => 'controller#action'`
            let at = options.0.iter().position(|(k, _)| !matches!(k, Value::Sym(_))).or({
                // `get :show => 'controller#action'`
                options.0.iter().position(|(_, v)| matches!(v, Value::Str(s) if s.contains('#')))
            });
            let Some(at) = at else {
                self.problem(self.span, "a route without a path");
                return;
            };
            let (path, to) = options.0.remove(at);
            match to {
                Value::Sym(action) => options.set("action", Value::Sym(action)),
                Value::Str(controller) if !controller.contains('#') => {
                    options.set("controller", Value::Str(controller));
                }
                Value::Map(_) => {}
                to => options.set("to", to),
            }
            words.push(match path {
                Value::Sym(s) => Value::Sym(s),
                other => Value::Str(other.word().unwrap_or_default()),
            });
        }
        let verbs = match verb {
            Some(verb) => vec![verb],
            None => self.verbs(options.take("via").or_else(|| self.scope.via.clone())),
        };
        let on = options.take("on").and_then(|on| on.word());
        for word in words.into_iter().flat_map(Value::flat) {
            let word = match word {
                Value::Sym(_) | Value::Str(_) => word,
                other => match other.word() {
                    Some(text) => Value::Str(text),
                    None => {
                        self.problem(self.span, "a route whose path is not known");
                        continue;
                    }
                },
            };
            let add = |reader: &mut Self| {
                reader.add_route(&word, &options, options.get("to"), &verbs);
            };
            match on.as_deref() {
                Some("member") => self.member(&add),
                Some("collection") => self.collection(&add),
                Some("new") => self.new_block(&add),
                _ => match self.scope.level {
                    Level::Resources => self.nested(&add),
                    Level::Resource => self.member(&add),
                    _ => add(self),
                },
            }
        }
        body(self);
    }

    pub(super) fn verbs(&self, via: Option<Value<'a>>) -> Vec<Verb> {
        let Some(via) = via else { return vec![Verb::Any] };
        let verbs: Vec<Verb> = via.words().iter().filter_map(|w| Verb::parse(w)).collect();
        if verbs.is_empty() || verbs.contains(&Verb::Any) { vec![Verb::Any] } else { verbs }
    }

    pub(super) fn root(&mut self, words: Vec<Value<'a>>, mut options: Keywords<'a>) {
        if let Some(word) = words.into_iter().next() {
            options.set("to", word);
        }
        if !options.has("to")
            && let Some(at) = options.0.iter().position(|(k, _)| matches!(k, Value::Str(_)))
        {
            let (_, to) = options.0.remove(at);
            options.set("to", to);
        }
        if !options.has("as") {
            options.set("as", Value::str("root"));
        }
        let verbs = match options.take("via") {
            Some(via) => self.verbs(Some(via)),
            None if self.settings.rails.0 < 4 => vec![Verb::Any],
            None => vec![Verb::Get],
        };
        let add = |reader: &mut Self| {
            reader.add_route(&Value::str("/"), &options, options.get("to"), &verbs);
        };
        match (self.scope.in_resource(), self.scope.resource.clone()) {
            (true, Some(parent)) => self.within(
                |s| {
                    s.level = Level::Root;
                    s.add_path(&parent.path);
                },
                add,
            ),
            _ => add(self),
        }
    }

    pub(super) fn mount(&mut self, words: Vec<Value<'a>>, mut options: Keywords<'a>) {
        let (app, path) = match words.into_iter().next() {
            Some(app) => (app, options.take("at")),
            None => {
                let Some(at) = options.0.iter().position(|(k, _)| !matches!(k, Value::Sym(_))) else {
                    self.problem(self.span, "mount without an application");
                    return;
                };
                let (app, path) = options.0.remove(at);
                (app, Some(path))
            }
        };
        let path = path.and_then(|p| p.word()).unwrap_or_else(|| "/".to_owned());
        let verbs = self.verbs(options.take("via"));
        let app = app.text();
        let add = |reader: &mut Self| {
            let name = options.word("as");
            let target = Target::Mount { app: app.clone() };
            let full = format!("{}/{path}", reader.scope.path);
            reader.emit(&full, target, name, &options, &verbs);
        };
        match self.scope.level {
            Level::Resources => self.nested(&add),
            Level::Resource => self.member(&add),
            _ => add(self),
        }
    }

    /// A Rack application or engine that a library's own word mounts.
    pub(super) fn known_mount(&mut self, path: &str, app: &str) {
        let path = format!("{}{path}", self.scope.path);
        self.emit(&path, Target::Mount { app: app.to_owned() }, None, &Keywords::default(), &[Verb::Any]);
    }

    /// Adds one path for some verbs; `word` is a path (string) or an action's name (symbol).
    pub(super) fn add_route(
        &mut self,
        word: &Value<'a>,
        options: &Keywords<'a>,
        to: Option<&Value<'a>>,
        verbs: &[Verb],
    ) {
        let text = word.word().unwrap_or_default();
        let is_path = matches!(word, Value::Str(_));
        let given_path = if is_path { Some(text.clone()) } else { options.word("path") };
        let canonical = matches!(self.scope.level, Level::Collection | Level::Member | Level::New)
            && matches!(text.as_str(), "index" | "create" | "new" | "show" | "update" | "destroy")
            && (!is_path || self.settings.rails.0 < 4);
        let path = match &given_path {
            Some(path) if !canonical => format!("{}/{path}", self.scope.path),
            Some(path) if !is_path => format!("{}/{path}", self.scope.path),
            _ if canonical => self.scope.path.clone(),
            _ => format!("{}/{}", self.scope.path, self.scope.path_name(&text)),
        };
        let plain = without_format(&text);
        let wordlike = !plain.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || "_-/".contains(c));
        let name = self.route_name(options, if wordlike { Some(text.as_str()) } else { None }, canonical);
        let scope_to = self.scope.to.clone();
        let to = to.or(scope_to.as_ref());
        let target = self.target(plain, wordlike, &path, options, to);
        self.emit(&path, target, name, options, verbs);
    }

    pub(super) fn target(
        &mut self,
        plain: &str,
        wordlike: bool,
        path: &str,
        options: &Keywords<'a>,
        to: Option<&Value<'a>>,
    ) -> Target {
        let default = |name: &str| {
            let own = match options.get("defaults") {
                Some(Value::Map(pairs)) => {
                    pairs.iter().find(|(k, _)| k.known() == Some(name)).and_then(|(_, v)| v.word())
                }
                _ => None,
            };
            own.or_else(|| self.scope.defaults.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
        };
        // A pattern as `controller:` only restricts the path's own part.
        let mut controller = options
            .word("controller")
            .or_else(|| self.scope.controller.clone())
            .or_else(|| default("controller"));
        let mut action =
            options.word("action").or_else(|| self.scope.action.clone()).or_else(|| default("action"));
        if let Some((own, named)) = controller.as_deref().and_then(|c| c.split_once('#')) {
            (controller, action) = (Some(own.to_owned()), Some(named.to_owned()));
        }
        match to {
            Some(Value::Str(to) | Value::Sym(to)) => match to.split_once('#') {
                Some((c, a)) => {
                    controller = Some(c.to_owned());
                    action = Some(a.to_owned());
                }
                // Before Rails 5 a word alone could name the controller.
                None if controller.is_none() => controller = Some(to.clone()),
                None => action = Some(to.clone()),
            },
            Some(Value::Redirect) => return Target::Redirect,
            Some(Value::Nil) | None => {
                let trimmed = plain.trim_matches('/');
                if action.is_none()
                    && options.get("controller").is_none()
                    && wordlike
                    && let Some((c, a)) = trimmed.rsplit_once('/')
                {
                    // `get 'users/list'` names its own handler.
                    controller = Some(c.replace('-', "_"));
                    action = Some(a.replace('-', "_"));
                } else if action.is_none() && wordlike && !trimmed.is_empty() && !trimmed.contains('/') {
                    action = Some(trimmed.replace('-', "_"));
                }
            }
            Some(other) => return Target::Other(other.text()),
        }
        if path.contains(":controller") && controller.is_none() {
            controller = Some(":controller".to_owned());
        }
        if path.contains(":action") && (action.is_none() || options.word("action").is_none() && to.is_none())
        {
            action = Some(":action".to_owned());
        }
        let controller = match (controller, &self.scope.module) {
            (Some(controller), _) => self.in_module(&controller),
            // `namespace(:site) { get 'about' }` goes to `site#about`.
            (None, Some(module)) => module.clone(),
            (None, None) => {
                self.problem(self.span, format!("no controller is named for {}", normalise(path)));
                return Target::Other(String::new());
            }
        };
        Target::Action { controller, action: action.unwrap_or_else(|| "index".to_owned()) }
    }

    /// The controller with the modules of the scopes around it.
    pub(super) fn in_module(&self, controller: &str) -> String {
        let controller =
            if controller.contains(|c: char| c.is_uppercase()) && !controller.contains(['{', ':']) {
                crate::inflect::underscore(controller)
            } else {
                controller.to_owned()
            };
        match controller.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => joined(self.scope.module.as_deref(), &controller, "/"),
        }
    }

    pub(super) fn route_name(
        &self,
        options: &Keywords<'a>,
        action: Option<&str>,
        canonical: bool,
    ) -> Option<String> {
        let given = options.get("as");
        if matches!(given, Some(Value::Nil | Value::Bool(false))) {
            return None;
        }
        let given = given.and_then(Value::word);
        let word = match (&given, action) {
            (Some(given), _) => given.as_str(),
            (None, Some(action)) if !canonical => action,
            _ => "",
        };
        let word = word.replace('-', "_");
        let word = word.trim_matches('/').replace('/', "_");
        let (collection, member) = match &self.scope.resource {
            Some(parent) => {
                if given.is_none() && action.is_none() {
                    return None;
                }
                (parent.collection_name(), parent.member_name())
            }
            None => (String::new(), String::new()),
        };
        let prefix = self.scope.prefix.as_deref().unwrap_or("");
        let parts: [&str; 4] = match self.scope.level {
            Level::Nested => [prefix, &word, "", ""],
            Level::Collection => [&word, prefix, &collection, ""],
            Level::New => [&word, "new", prefix, &member],
            Level::Member => [&word, prefix, &member, ""],
            Level::Root => [prefix, &collection, &word, ""],
            Level::Top | Level::Resources | Level::Resource => [prefix, &member, &word, ""],
        };
        let name = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("_");
        let valid = name.starts_with(|c: char| c == '_' || c.is_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_alphanumeric());
        let taken = || self.names.contains(&(self.scope.engine.clone(), name.clone()));
        match given {
            Some(_) if !name.is_empty() => Some(name),
            None if valid && !taken() => Some(name),
            _ => None,
        }
    }

    /// Puts a route, once per verb, into the list.
    pub(super) fn emit(
        &mut self,
        path: &str,
        target: Target,
        mut name: Option<String>,
        options: &Keywords<'a>,
        verbs: &[Verb],
    ) {
        // A scope of its own only where the route adds to it.
        if ["constraints", "defaults", "format"].iter().any(|name| options.has(name)) {
            let outer = self.scope.clone();
            if let Some(constraints) = options.get("constraints") {
                self.scope.add_guard(constraints);
            }
            if let Some(defaults) = options.get("defaults") {
                self.scope.add_defaults(defaults);
            }
            if let Some(format) = options.word("format") {
                self.scope.add_defaults(&Value::Map(vec![(Value::sym("format"), Value::Str(format))]));
            }
            self.emit(path, target, name, &Keywords::default(), verbs);
            self.scope = outer;
            return;
        }
        let full = normalise(path);
        if let Some(name) = &name {
            self.names.insert((self.scope.engine.clone(), name.clone()));
        }
        for verb in verbs {
            let route = Route {
                verb: *verb,
                path: without_format(&full).to_owned(),
                target: target.clone(),
                name: name.take(),
                file: self.files[self.file].index,
                span: self.span,
                guards: self.scope.guards.clone(),
                authenticated: self.scope.authenticated,
                development: self.scope.development,
                defaults: self.scope.defaults.clone(),
                engine: self.scope.engine.as_deref().map(str::to_owned),
            };
            self.push(route);
        }
    }
}
