//! The language of routes of Rails 2: everything is a call on `map`, nesting is options.

use wardroom_model::Verb;
use wardroom_ruby::ir::Block;

use super::Target;
use super::reader::Reader;
use super::value::{Keywords, Mapper, Value, normalise, split_arguments};
use crate::inflect;

impl<'a> Reader<'a> {
    /// A call on the `map` of Rails 2, with the options that surround it.
    pub(super) fn classic(
        &mut self,
        name: &str,
        with: &Keywords<'a>,
        arguments: Vec<Value<'a>>,
        block: Option<&'a Block>,
    ) -> Value<'a> {
        let (words, keywords) = split_arguments(arguments);
        let options = keywords.over(with);
        match name {
            "resources" | "resource" => {
                for word in words.into_iter().flat_map(Value::flat).filter_map(|w| w.word()) {
                    self.classic_resource(&word, name == "resource", options.clone(), block);
                }
            }
            "connect" => self.classic_route(None, words.first(), &options),
            "named_route" => {
                let name = words.first().and_then(Value::word);
                self.classic_route(name, words.get(1), &options);
            }
            "root" => match words.first() {
                // `map.root :home` gives the root another route's handler.
                Some(Value::Sym(_)) => {}
                _ => self.classic_route(Some("root".to_owned()), Some(&Value::str("")), &options),
            },
            "namespace" => {
                for word in words.iter().filter_map(Value::word) {
                    let path = options.word("path").unwrap_or_else(|| word.clone());
                    let mut inner = options.clone();
                    inner.take("path");
                    let text = |name: &str| with.word(name).unwrap_or_default();
                    let own = |name: &str| {
                        let given = options.word(name).unwrap_or_default();
                        if given == text(name) { String::new() } else { given }
                    };
                    let path = if own("path_prefix").is_empty() {
                        format!("{}/{path}", text("path_prefix"))
                    } else {
                        own("path_prefix")
                    };
                    let prefix = if own("name_prefix").is_empty() {
                        format!("{}{word}_", text("name_prefix"))
                    } else {
                        own("name_prefix")
                    };
                    inner.set("path_prefix", Value::Str(path));
                    inner.set("name_prefix", Value::Str(prefix));
                    inner.set("namespace", Value::Str(format!("{}{word}/", text("namespace"))));
                    self.classic_block(inner, block);
                }
            }
            "with_options" => self.classic_block(options, block),
            // They take routes from elsewhere or make none.
            "from_plugin" | "load_routes_from_plugin" | "install_default_routes" => {}
            // Words of Rails 3 that its transitional mapper took as well, and those of libraries.
            "namespace_scope" | "scope" | "match" | "get" | "post" | "put" | "delete" | "mount" | "draw"
            | "devise_for" | "use_doorkeeper" => {
                let mut words = words;
                words.push(Value::Map(options.0));
                self.modern(name, words, block);
            }
            _ if name.ends_with("_resources") || name.ends_with("_resource") => {
                self.problem(self.span, format!("`map.{name}` is not known: read as `resources`"));
                for word in words.into_iter().flat_map(Value::flat).filter_map(|w| w.word()) {
                    self.classic_resource(&word, false, options.clone(), block);
                }
            }
            _ if matches!(words.first(), Some(Value::Str(_))) => {
                self.classic_route(Some(name.to_owned()), words.first(), &options);
            }
            _ => match block {
                Some(_) => self.classic_block(options, block),
                None => self.problem(
                    self.span,
                    format!("`map.{name}` is not known: routes that it makes are missing"),
                ),
            },
        }
        Value::Nil
    }

    fn classic_block(&mut self, with: Keywords<'a>, block: Option<&'a Block>) {
        if let Some(block) = block {
            self.run(block, vec![Value::Mapper(Box::new(Mapper { classic: true, with }))]);
        }
    }

    fn classic_route(&mut self, name: Option<String>, path: Option<&Value<'a>>, options: &Keywords<'a>) {
        let Some(path) = path.and_then(Value::word) else {
            self.problem(self.span, "a route whose path is not known");
            return;
        };
        let prefix = options.word("path_prefix").unwrap_or_default();
        let path = normalise(&format!("{prefix}/{path}"));
        let verbs = match options.get("conditions") {
            Some(Value::Map(pairs)) => {
                let method = pairs.iter().find(|(k, _)| k.known() == Some("method"));
                classic_verbs(method.map(|(_, v)| v))
            }
            _ => vec![Verb::Any],
        };
        let action = options.word("action").unwrap_or_else(|| {
            if path.contains(":action") { ":action".to_owned() } else { "index".to_owned() }
        });
        let controller = options
            .word("controller")
            .or_else(|| path.contains(":controller").then(|| ":controller".to_owned()));
        let target = match controller {
            Some(controller) => self.classic_target(&controller, &action, options),
            None => {
                self.problem(self.span, format!("no controller is named for {path}"));
                Target::Other(String::new())
            }
        };
        let name = name.map(|name| format!("{}{name}", options.word("name_prefix").unwrap_or_default()));
        let path =
            if path.ends_with(".:format") && name.as_deref().is_some_and(|n| n.starts_with("formatted_")) {
                path.trim_end_matches(".:format").to_owned()
            } else {
                path
            };
        self.emit(&path, target, name, &Keywords::default(), &verbs);
    }

    fn classic_target(&self, controller: &str, action: &str, options: &Keywords<'a>) -> Target {
        let namespace = options.word("namespace").unwrap_or_default();
        let controller = format!("{namespace}{}", controller.trim_start_matches('/'));
        Target::Action { controller: self.in_module(&controller), action: action.to_owned() }
    }

    fn classic_resource(
        &mut self,
        word: &str,
        singleton: bool,
        options: Keywords<'a>,
        block: Option<&'a Block>,
    ) {
        let text = |name: &str| options.word(name).unwrap_or_default();
        let one = match (options.word("singular"), singleton) {
            (Some(given), _) => given,
            (None, true) => word.to_owned(),
            (None, false) => inflect::singular(word),
        };
        let segment = options.word("as").unwrap_or_else(|| word.to_owned());
        let prefix = text("path_prefix");
        let path = format!("{prefix}/{segment}");
        let shallow = options.get("shallow").is_some_and(|v| v.truthy() == Some(true));
        let short = if shallow {
            format!("{}/{segment}", options.word("shallow_prefix").unwrap_or_default())
        } else {
            path.clone()
        };
        let member = if singleton { path.clone() } else { format!("{short}/:id") };
        let nested = if singleton { path.clone() } else { format!("{short}/:{one}_id") };
        let names = text("name_prefix");
        let controller = options
            .word("controller")
            .unwrap_or_else(|| if singleton { inflect::plural(word) } else { word.to_owned() });
        let path_name = |action: &str| match options.get("path_names") {
            Some(Value::Map(pairs)) => pairs
                .iter()
                .find(|(k, _)| k.known() == Some(action))
                .and_then(|(_, v)| v.word())
                .unwrap_or_else(|| action.to_owned()),
            _ => action.to_owned(),
        };
        let only = options.get("only").map(Value::words);
        let except = options.get("except").map(Value::words).unwrap_or_default();
        let wanted = |action: &str| {
            let named = |list: &[String]| list.iter().any(|a| a == action || a == "all");
            match &only {
                Some(only) => only.iter().any(|a| a == action || a == "all"),
                None => !named(&except),
            }
        };
        let mut add = |verbs: &[Verb], path: &str, action: &str, name: Option<String>| {
            let target = self.classic_target(&controller, action, &options);
            self.emit(path, target, name, &Keywords::default(), verbs);
        };
        let many = match singleton {
            true => one.clone(),
            false if one == word => format!("{word}_index"),
            false => word.to_owned(),
        };
        let extra = |kind: &str| match options.get(kind) {
            Some(Value::Map(pairs)) => pairs.clone(),
            _ => Vec::new(),
        };
        for (action, verbs) in extra("collection") {
            let Some(action) = action.word() else { continue };
            let at = format!("{path}/{}", path_name(&action));
            add(&classic_verbs(Some(&verbs)), &at, &action, Some(format!("{action}_{names}{many}")));
        }
        for (action, verbs) in extra("new") {
            let Some(action) = action.word() else { continue };
            let at = format!("{path}/{}/{action}", path_name("new"));
            add(&classic_verbs(Some(&verbs)), &at, &action, Some(format!("{action}_new_{names}{one}")));
        }
        for (action, verbs) in extra("member") {
            let Some(action) = action.word() else { continue };
            let at = format!("{member}/{}", path_name(&action));
            add(&classic_verbs(Some(&verbs)), &at, &action, Some(format!("{action}_{names}{one}")));
        }
        let standard: [(&str, Verb, String, Option<String>); 7] = [
            ("index", Verb::Get, path.clone(), Some(format!("{names}{many}"))),
            ("create", Verb::Post, path.clone(), None),
            ("new", Verb::Get, format!("{path}/{}", path_name("new")), Some(format!("new_{names}{one}"))),
            (
                "edit",
                Verb::Get,
                format!("{member}/{}", path_name("edit")),
                Some(format!("edit_{names}{one}")),
            ),
            ("show", Verb::Get, member.clone(), Some(format!("{names}{one}"))),
            ("update", Verb::Put, member.clone(), None),
            ("destroy", Verb::Delete, member.clone(), None),
        ];
        for (action, verb, path, name) in standard {
            if wanted(action) && !(singleton && action == "index") {
                add(&[verb], &path, action, name);
            }
        }
        let mut inner = Keywords::default()
            .with("path_prefix", Value::Str(nested))
            .with("name_prefix", Value::Str(format!("{names}{one}_")));
        for kept in ["namespace", "shallow", "shallow_prefix"] {
            if let Some(value) = options.get(kept) {
                inner.set(kept, value.clone());
            }
        }
        if shallow {
            inner.set("name_prefix", Value::Str(format!("{one}_")));
        }
        for (key, singleton) in [("has_many", false), ("has_one", true)] {
            for child in options.get(key).map(Value::words).unwrap_or_default() {
                self.classic_resource(&child, singleton, inner.clone(), None);
            }
        }
        self.classic_block(inner, block);
    }
}

fn classic_verbs(value: Option<&Value<'_>>) -> Vec<Verb> {
    let verbs: Vec<Verb> =
        value.map(Value::words).unwrap_or_default().iter().filter_map(|w| Verb::parse(w)).collect();
    if verbs.is_empty() || verbs.contains(&Verb::Any) { vec![Verb::Any] } else { verbs }
}
