//! `scope`, `namespace`, `resources` and the blocks inside a resource: what they do to the scope.

use std::rc::Rc;

use wardroom_model::Verb;

use super::mapper::Body;
use super::reader::Reader;
use super::scope::{Level, Resource, joined};
use super::value::{Keywords, Value, normalise};

/// Options that a resource keeps to itself; all others open a scope around it.
const RESOURCE_OPTIONS: [&str; 7] = ["as", "controller", "path", "only", "except", "param", "concerns"];

impl<'a> Reader<'a> {
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

    pub(super) fn parent(&mut self, word: &str) -> Option<Rc<Resource>> {
        if self.scope.resource.is_none() {
            self.problem(self.span, format!("`{word}` stands outside a resource"));
        }
        self.scope.resource.clone()
    }

    pub(super) fn is_shallow(&self, parent: &Resource) -> bool {
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

    pub(super) fn new_block(&mut self, body: Body<'a, '_>) {
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

    pub(super) fn nested(&mut self, body: Body<'a, '_>) {
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

    pub(super) fn resource_itself(
        &mut self,
        word: &str,
        singleton: bool,
        options: &Keywords<'a>,
        body: Body<'a, '_>,
    ) {
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

    pub(super) fn standard_actions(&mut self, resource: &Resource) {
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
}
