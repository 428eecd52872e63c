//! The language of routes since Rails 3: `resources`, `scope`, `get` and the rest, with Rails' own
//! order of rules, so that paths, handlers and names come out as `rails routes` prints them.

use std::rc::Rc;

use wardroom_model::Verb;
use wardroom_ruby::ir::Block;

use super::reader::{Concern, Reader};
use super::scope::{Level, Resource, joined};
use super::value::{Keywords, Mapper, Value, normalise, split_arguments, without_format};
use super::{Route, Target};

/// Options that a resource keeps to itself; all others open a scope around it.
const RESOURCE_OPTIONS: [&str; 7] = ["as", "controller", "path", "only", "except", "param", "concerns"];

/// What stands in the block of a scope or resource.
pub(super) type Body<'a, 'b> = &'b dyn Fn(&mut Reader<'a>);

impl<'a> Reader<'a> {
    /// One word of the language of routes.
    pub(super) fn modern(
        &mut self,
        name: &str,
        arguments: Vec<Value<'a>>,
        block: Option<&'a Block>,
    ) -> Value<'a> {
        let body = |reader: &mut Self| {
            if let Some(block) = block {
                let own = reader.own_mapper();
                let arguments = block.params.iter().map(|_| own.clone()).collect();
                reader.run(block, arguments);
            }
        };
        if name == "draw" {
            return self.draw_part(&arguments);
        }
        let (words, keywords) = split_arguments(arguments);
        let keywords = keywords.over(&self.scope.with);
        match name {
            "resources" | "resource" => {
                for word in words.into_iter().flat_map(Value::flat) {
                    match word.word() {
                        Some(word) => self.resource(&word, name == "resource", keywords.clone(), &body),
                        None => self.problem(self.span, format!("{name}: its name is not known")),
                    }
                }
            }
            "get" | "post" | "put" | "patch" | "delete" | "options" | "head" => {
                let verb = Verb::parse(name);
                self.declare_routes(words, keywords, verb, &body);
            }
            "match" | "connect" => self.declare_routes(words, keywords, None, &body),
            "root" => self.root(words, keywords),
            "mount" => self.mount(words, keywords),
            "namespace" => {
                for word in words.iter().filter_map(Value::word) {
                    self.namespace(&word, keywords.clone(), &body);
                }
            }
            "scope" => self.scope_block(&words, keywords, &body),
            "controller" => {
                let controller = words.first().and_then(Value::word);
                self.scope_block(&[], keywords, &|reader| {
                    reader.within(|s| s.controller.clone_from(&controller), &body);
                });
            }
            "constraints" => {
                let given = if words.is_empty() { Value::Map(keywords.0) } else { Value::List(words) };
                self.scope_block(&[], Keywords::default().with("constraints", given), &body);
            }
            "defaults" => {
                self.scope_block(&[], Keywords::default().with("defaults", Value::Map(keywords.0)), &body);
            }
            "shallow" => self.within(|s| s.shallow = true, &body),
            "member" => self.member(&body),
            "collection" => self.collection(&body),
            "new" => self.new_block(&body),
            "nested" => self.nested(&body),
            "with_options" => self.with_options(keywords, block),
            "concern" => {
                let concern = match (block, words.get(1)) {
                    (Some(block), _) => Concern::Block(self.file, block),
                    (None, Some(Value::Lambda(Some(block)))) => Concern::Block(self.file, block),
                    (None, object) => Concern::Object(object.map(Value::text).unwrap_or_default()),
                };
                if let Some(name) = words.first().and_then(Value::word) {
                    self.concerns.insert(name, concern);
                }
            }
            "concerns" => self.use_concerns(words, keywords),
            "authenticate" | "authenticated" => {
                let condition = words.iter().find(|w| matches!(w, Value::Lambda(_))).map(Value::text);
                self.within(
                    |s| {
                        s.authenticated = true;
                        s.guards.extend(condition);
                    },
                    &body,
                );
            }
            "unauthenticated"
            | "devise_scope"
            | "as"
            | "instance_eval"
            | "instance_exec"
            | "localized"
            | "localize"
            | "format"
            | "begin"
            | "loop"
            | "class_eval"
            | "with_devise_exclusive_scope" => body(self),
            "devise_for" => self.devise_for(words, keywords),
            "use_doorkeeper" => self.doorkeeper(block),
            "use_doorkeeper_openid_connect" => self.doorkeeper_openid(),
            "use_doorkeeper_device_authorization_grant" => self.doorkeeper_device(),
            // Inside `use_doorkeeper do`; read there.
            "controllers" | "skip_controllers" => {}
            // They make helpers, no endpoints.
            "direct" | "resolve" | "default_url_options" | "default_url_options=" => {}
            "api_version" => self.api_version(keywords, &body),
            "apipie_dsl" | "apipie" => self.known_mount("/apipie", "Apipie"),
            "mount_devise_token_auth_for" => self.token_auth(words, keywords),
            "instance_variable_get" | "block_given?" | "defined?" | "set" | "plugin_name" => {}
            "yield_self" | "each" => body(self),
            _ => self.unknown_word(name, block, &body),
        }
        Value::Nil
    }

    fn unknown_word(&mut self, name: &str, block: Option<&'a Block>, body: Body<'a, '_>) {
        let span = self.span;
        let before = self.routes.len();
        if block.is_some() {
            body(self);
            if self.routes.len() > before {
                self.problem(
                    span,
                    format!("`{name}` is not known: its block is read as if it were not there"),
                );
            }
        } else {
            self.problem(span, format!("`{name}` is not known: routes that it makes are missing"));
        }
    }

    fn draw_part(&mut self, arguments: &[Value<'a>]) -> Value<'a> {
        let Some(name) = arguments.first().and_then(Value::word) else { return Value::Nil };
        let wanted = format!("config/routes/{name}.rb");
        let here = self.file;
        // An engine draws its own parts.
        let root = self.files[here].path.split("config/routes").next().unwrap_or("");
        let found = (0..self.files.len())
            .filter(|&i| self.files[i].path.ends_with(&wanted))
            .min_by_key(|&i| (!self.files[i].path.starts_with(root), self.files[i].path.len()));
        match found {
            Some(at) if at != here => self.run_file(at, true),
            _ => self.problem(self.span, format!("draw(:{name}): there is no {wanted}")),
        }
        Value::Nil
    }

    fn with_options(&mut self, keywords: Keywords<'a>, block: Option<&'a Block>) {
        let Some(block) = block else { return };
        if block.params.is_empty() {
            self.within(
                |s| s.with = keywords,
                |reader| {
                    reader.run(block, Vec::new());
                },
            );
        } else {
            self.run(block, vec![Value::Mapper(Box::new(Mapper { classic: false, with: keywords }))]);
        }
    }

    fn use_concerns(&mut self, words: Vec<Value<'a>>, keywords: Keywords<'a>) {
        for name in words.into_iter().flat_map(Value::flat).filter_map(|w| w.word()) {
            match self.concerns.get(&name).cloned() {
                Some(Concern::Block(file, block)) => {
                    let here = std::mem::replace(&mut self.file, file);
                    // A block with one parameter gets the options, one with two the mapper first.
                    let options = Value::Map(keywords.0.clone());
                    let arguments = match block.params.len() {
                        0 | 1 => vec![options],
                        _ => vec![self.own_mapper(), options],
                    };
                    self.run(block, arguments);
                    self.file = here;
                }
                Some(Concern::Object(text)) => {
                    self.problem(
                        self.span,
                        format!("concern {name} is made by {text}: its routes are missing"),
                    );
                }
                None => self.problem(self.span, format!("concern {name} is not declared")),
            }
        }
    }

    /// `scope`: each option changes the scope in its own way.
    pub(super) fn scope_block(&mut self, words: &[Value<'a>], mut options: Keywords<'a>, body: Body<'a, '_>) {
        let positional: Vec<String> = words.iter().flat_map(Value::words).collect();
        if !positional.is_empty() {
            options.set("path", Value::Str(positional.join("/")));
        }
        self.within(
            |s| {
                let word = |name: &str| options.word(name);
                if s.level != Level::Nested {
                    if let (Some(path), false) = (word("path"), options.has("shallow_path")) {
                        s.shallow_path = normalise(&format!("{}/{path}", s.shallow_path));
                    }
                    if let (Some(name), false) = (word("as"), options.has("shallow_prefix")) {
                        s.shallow_prefix = Some(joined(s.shallow_prefix.as_deref(), &name, "_"));
                    }
                }
                if let Some(path) = word("shallow_path") {
                    s.shallow_path = normalise(&format!("{}/{path}", s.shallow_path));
                }
                if let Some(name) = word("shallow_prefix") {
                    s.shallow_prefix = Some(joined(s.shallow_prefix.as_deref(), &name, "_"));
                }
                if let Some(path) = word("path") {
                    s.add_path(&path);
                }
                if let Some(name) = word("as") {
                    s.add_prefix(&name);
                }
                if let Some(module) = word("module") {
                    s.add_module(&module);
                }
                if let Some(controller) = word("controller") {
                    s.controller = Some(controller);
                }
                if let Some(action) = word("action") {
                    s.action = Some(action);
                }
                if let Some(shallow) = options.get("shallow") {
                    s.shallow = shallow.truthy() != Some(false);
                }
                if let Some(to) = options.get("to") {
                    s.to = Some(to.clone());
                }
                if let Some(via) = options.get("via") {
                    s.via = Some(via.clone());
                }
                if options.has("only") || options.has("except") {
                    s.only = options.get("only").map(Value::words);
                    s.except = options.get("except").map(Value::words);
                }
                if let Some(names) = options.get("path_names") {
                    s.add_path_names(names);
                }
                if let Some(defaults) = options.get("defaults") {
                    s.add_defaults(defaults);
                }
                if let Some(format) = word("format") {
                    s.add_defaults(&Value::Map(vec![(Value::sym("format"), Value::Str(format))]));
                }
                if let Some(constraints) = options.get("constraints") {
                    s.add_guard(constraints);
                }
            },
            body,
        );
    }

    pub(super) fn namespace(&mut self, word: &str, options: Keywords<'a>, body: Body<'a, '_>) {
        let or_word = |name: &str| options.get(name).cloned().unwrap_or_else(|| Value::str(word));
        let path = or_word("path");
        let defaults = Keywords::default()
            .with("module", Value::str(word))
            .with("as", or_word("as"))
            .with("shallow_path", or_word("path"))
            .with("shallow_prefix", or_word("as"));
        let mut merged = options.over(&defaults);
        merged.take("path");
        let open = |reader: &mut Self| {
            reader.within(
                |s| {
                    if let Some(path) = path.word() {
                        s.add_path(&path);
                    }
                },
                |reader| reader.scope_block(&[], merged.clone(), body),
            );
        };
        if self.scope.in_resource() { self.nested(&open) } else { open(self) }
    }

    fn parent(&mut self, word: &str) -> Option<Rc<Resource>> {
        if self.scope.resource.is_none() {
            self.problem(self.span, format!("`{word}` stands outside a resource"));
        }
        self.scope.resource.clone()
    }

    fn is_shallow(&self, parent: &Resource) -> bool {
        !parent.singleton && self.scope.shallow
    }

    pub(super) fn member(&mut self, body: Body<'a, '_>) {
        let Some(parent) = self.parent("member") else { return body(self) };
        let shallow = self.is_shallow(&parent);
        self.within(
            |s| {
                s.level = Level::Member;
                if shallow {
                    s.path.clone_from(&s.shallow_path);
                    s.prefix.clone_from(&s.shallow_prefix);
                }
                s.add_path(&parent.member_path());
            },
            body,
        );
    }

    pub(super) fn collection(&mut self, body: Body<'a, '_>) {
        let Some(parent) = self.parent("collection") else { return body(self) };
        self.within(
            |s| {
                s.level = Level::Collection;
                s.add_path(&parent.path);
            },
            body,
        );
    }

    fn new_block(&mut self, body: Body<'a, '_>) {
        let Some(parent) = self.parent("new") else { return body(self) };
        self.within(
            |s| {
                s.level = Level::New;
                let path = format!("{}/{}", parent.path, s.path_name("new"));
                s.add_path(&path);
            },
            body,
        );
    }

    fn nested(&mut self, body: Body<'a, '_>) {
        let Some(parent) = self.parent("nested") else { return body(self) };
        let shallow = self.is_shallow(&parent) && self.scope.shallow_depth >= 1;
        self.within(
            |s| {
                s.level = Level::Nested;
                if shallow {
                    s.path.clone_from(&s.shallow_path);
                    s.prefix.clone_from(&s.shallow_prefix);
                }
                s.add_path(&parent.nested_path());
                s.add_prefix(&parent.member_name());
            },
            body,
        );
    }

    /// `resources :word` or `resource :word`.
    pub(super) fn resource(
        &mut self,
        word: &str,
        singleton: bool,
        mut options: Keywords<'a>,
        body: Body<'a, '_>,
    ) {
        if let Some(shallow) = options.take("shallow")
            && shallow.truthy() != Some(false)
        {
            self.within(|s| s.shallow = true, |reader| reader.resource(word, singleton, options, body));
            return;
        }
        if self.scope.in_resource() {
            self.nested(&|reader| reader.resource(word, singleton, options.clone(), body));
            return;
        }
        let own = |key: &Value<'a>| key.known().is_some_and(|k| RESOURCE_OPTIONS.contains(&k));
        let (own_options, around): (Vec<_>, Vec<_>) = options.0.into_iter().partition(|(key, _)| own(key));
        let options = Keywords(own_options);
        if around.is_empty() {
            self.resource_itself(word, singleton, &options, body);
        } else {
            self.scope_block(&[], Keywords(around), &|reader| {
                reader.resource_itself(word, singleton, &options, body);
            });
        }
    }

    fn resource_itself(&mut self, word: &str, singleton: bool, options: &Keywords<'a>, body: Body<'a, '_>) {
        let resource = Rc::new(Resource::new(word, singleton, options, &self.scope, self.settings.api_only));
        let concerns = options.get("concerns").cloned();
        self.within(
            |s| {
                s.level = if singleton { Level::Resource } else { Level::Resources };
                s.controller = Some(resource.controller.clone());
                s.shallow_depth += u32::from(s.shallow);
                s.resource = Some(Rc::clone(&resource));
            },
            |reader| {
                body(reader);
                if let Some(concerns) = concerns {
                    reader.use_concerns(vec![concerns], Keywords::default());
                }
                reader.standard_actions(&resource);
            },
        );
    }

    fn standard_actions(&mut self, resource: &Resource) {
        let with_patch = self.settings.rails.0 >= 4;
        let action = |reader: &mut Self, verb: Verb, name: &str| {
            if resource.has(name) {
                reader.add_route(&Value::sym(name), &Keywords::default(), None, &[verb]);
            }
        };
        self.collection(&|reader| {
            action(reader, Verb::Get, "index");
            action(reader, Verb::Post, "create");
        });
        self.new_block(&|reader| action(reader, Verb::Get, "new"));
        self.member(&|reader| {
            action(reader, Verb::Get, "edit");
            action(reader, Verb::Get, "show");
            if with_patch {
                action(reader, Verb::Patch, "update");
            }
            action(reader, Verb::Put, "update");
            action(reader, Verb::Delete, "destroy");
        });
    }

    /// `get`, `match` and their kin.
    fn declare_routes(
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

    fn verbs(&self, via: Option<Value<'a>>) -> Vec<Verb> {
        let Some(via) = via else { return vec![Verb::Any] };
        let verbs: Vec<Verb> = via.words().iter().filter_map(|w| Verb::parse(w)).collect();
        if verbs.is_empty() || verbs.contains(&Verb::Any) { vec![Verb::Any] } else { verbs }
    }

    fn root(&mut self, words: Vec<Value<'a>>, mut options: Keywords<'a>) {
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

    fn mount(&mut self, words: Vec<Value<'a>>, mut options: Keywords<'a>) {
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

    fn target(
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
        let Some(controller) = controller else {
            self.problem(self.span, format!("no controller is named for {}", normalise(path)));
            return Target::Other(String::new());
        };
        let controller = self.in_module(&controller);
        Target::Action { controller, action: action.unwrap_or_else(|| "index".to_owned()) }
    }

    /// The controller with the modules of the scopes around it.
    pub(super) fn in_module(&self, controller: &str) -> String {
        let controller =
            if controller.contains(|c: char| c.is_uppercase()) && !controller.contains(['{', ':']) {
                super::inflect::underscore(controller)
            } else {
                controller.to_owned()
            };
        match controller.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => joined(self.scope.module.as_deref(), &controller, "/"),
        }
    }

    fn route_name(&self, options: &Keywords<'a>, action: Option<&str>, canonical: bool) -> Option<String> {
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
        let full = normalise(path);
        let mut scope = self.scope.clone();
        if let Some(constraints) = options.get("constraints") {
            scope.add_guard(constraints);
        }
        if let Some(defaults) = options.get("defaults") {
            scope.add_defaults(defaults);
        }
        if let Some(format) = options.word("format") {
            scope.add_defaults(&Value::Map(vec![(Value::sym("format"), Value::Str(format))]));
        }
        if let Some(name) = &name {
            self.names.insert((scope.engine.clone(), name.clone()));
        }
        for verb in verbs {
            let route = Route {
                verb: *verb,
                path: without_format(&full).to_owned(),
                target: target.clone(),
                name: name.take(),
                file: self.files[self.file].index,
                span: self.span,
                guards: scope.guards.clone(),
                authenticated: scope.authenticated,
                development: scope.development,
                defaults: scope.defaults.clone(),
                engine: scope.engine.as_deref().map(str::to_owned),
            };
            self.push(route);
        }
    }
}
