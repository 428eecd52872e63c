//! The language of routes since Rails 3: `resources`, `scope`, `get` and the rest, with Rails' own
//! order of rules, so that paths, handlers and names come out as `rails routes` prints them.

use wardroom_model::Verb;
use wardroom_ruby::ir::Block;

use super::reader::{Concern, Reader};
use super::value::{Keywords, Mapper, Value, split_arguments};

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
                    reader.within(|s| s.controller.clone_from(&controller), body);
                });
            }
            "constraints" => {
                let given = if words.is_empty() { Value::Map(keywords.0) } else { Value::List(words) };
                self.scope_block(&[], Keywords::default().with("constraints", given), &body);
            }
            "defaults" => {
                self.scope_block(&[], Keywords::default().with("defaults", Value::Map(keywords.0)), &body);
            }
            "shallow" => self.within(|s| s.shallow = true, body),
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
                    body,
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
            _ if name.ends_with("resources") || name.ends_with("_resource") => {
                self.problem(self.span, format!("`{name}` is not known: read as `resources`"));
                for word in words.into_iter().flat_map(Value::flat).filter_map(|w| w.word()) {
                    self.resource(&word, false, keywords.clone(), &body);
                }
            }
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
            Some(at) if at != here => {
                self.run_file(at, true);
                // GitLab draws the part of each edition.
                for other in 0..self.files.len() {
                    let path = self.files[other].path;
                    let edition =
                        ["ee/", "jh/"].iter().any(|e| path.strip_prefix(e) == Some(wanted.as_str()));
                    if edition && other != at {
                        self.run_file(other, true);
                    }
                }
            }
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

    pub(super) fn use_concerns(&mut self, words: Vec<Value<'a>>, keywords: Keywords<'a>) {
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
}
