//! The framework's own words: the request and what it hands out, parameters, translations, objects.

use std::rc::Rc;

use wardroom_rails::Habitat;
use wardroom_ruby::ir::*;

use crate::engine::{Binding, Unit, source};
use crate::eval::Eval;
use crate::knowledge::{Mark, Marks, SourceKind};
use crate::path::What;
use crate::value::{Origin, Shape, Special, Taint, Value, join_taints, map_taints};

/// `controller.params` in a component, a responder, a helper or a module.
pub(crate) fn on_controller(call: &Call) -> bool {
    match call.recv.as_ref().map(|r| &r.kind) {
        Some(Kind::Call(inner)) => {
            inner.args.is_empty()
                && matches!(inner.recv, None | Some(Node { kind: Kind::SelfRef, .. }))
                && inner.name == "controller"
        }
        Some(Kind::Local(name)) => *name == "controller",
        Some(Kind::Ivar(name)) => matches!(name.as_str(), "@controller" | "@_controller"),
        _ => false,
    }
}

impl<'a> Eval<'_, 'a> {
    pub(crate) fn framework(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let name = call.name.as_str();
        let Some(recv) = recv.filter(|_| !matches!(call.recv, Some(Node { kind: Kind::SelfRef, .. }))) else {
            if name == "new" && self.singleton {
                return self.construct(self.class, call, args, span);
            }
            return self.framework_word(call, args, span);
        };
        if on_controller(call) && args.is_empty() {
            let special = match name {
                "params" => {
                    let words = Name::from("params");
                    let taint = source(SourceKind::Params, words, self.file, span);
                    return Some(Value::tainted(Shape::Params(words), taint));
                }
                "request" => Some(Special::Request),
                "cookies" => Some(Special::Cookies),
                "session" => Some(Special::Sealed),
                "flash" => Some(Special::Flash),
                _ => None,
            };
            if let Some(special) = special {
                return Some(Value::shaped(Shape::Special(special)));
            }
        }
        match &recv.shape {
            Shape::Params(words) => Some(self.params_call(call, recv, *words, args, span)),
            Shape::Permitted => Some(self.permitted_call(call, recv, args, span)),
            Shape::Special(special) => self.special_call(call, *special, args, span),
            Shape::Lambda(number) if matches!(name, "call" | "()" | "[]" | "yield" | "===") => {
                Some(self.call_lambda(*number, args))
            }
            Shape::Class(class) if name == "last_match" && *class == "Regexp" => {
                let group = args.first().and_then(Value::as_text).map(|n| Name::from(&format!("${n}")));
                Some(self.matched(group.unwrap_or_else(|| Name::from("$~"))))
            }
            // `Current.account`: what the request is for.
            Shape::Class(class)
                if args.is_empty() && (*class == "Current" || class.ends_with("::Current")) =>
            {
                match self.engine.app.by_name.get(&call.name) {
                    Some((model, false)) => Some(Value::object(model)),
                    _ => None,
                }
            }
            Shape::Class(class) if name == "new" => {
                let class = *class;
                self.construct(class, call, args, span)
            }
            Shape::Class(class)
                if matches!(name, "set" | "with") && self.engine.app.index.class(*class).is_some() =>
            {
                let class = *class;
                let file = self.engine.app.index.class(class)?.places.first()?.0;
                match (name, self.engine.app.habitat(class, file)) {
                    ("set", Habitat::Job) => Some(recv.clone()),
                    // `SomeMailer.with(a: 1).welcome`: the mailer reads them as its `params`.
                    ("with", Habitat::Mailer) => {
                        let given = args.first().cloned().unwrap_or_default();
                        Some(Value::shaped(Shape::Object(
                            class,
                            Some(Rc::new(vec![(Name::from("@params"), given)])),
                        )))
                    }
                    _ => None,
                }
            }
            Shape::Hash(pairs)
                if matches!(name, "[]" | "fetch" | "dig" | "delete" | "try")
                    && args.first().is_some_and(|a| a.as_text().is_some()) =>
            {
                let key = args.first().and_then(|a| a.as_text())?;
                let exact = pairs.iter().find(|(k, _)| k.is_some_and(|k| k == key));
                let found = exact.or_else(|| pairs.iter().find(|(k, _)| k.is_none()));
                let mut value = found.map_or_else(Value::default, |(_, v)| v.clone());
                if exact.is_none() && matches!(value.shape, Shape::Unknown) {
                    value.taints = map_taints(&value.taints, |t| t.origin = t.origin.read(key));
                }
                join_taints(&mut value.taints, &recv.taints);
                if name == "fetch" && exact.is_none() {
                    value = self.or_default(value, call, args);
                }
                Some(value)
            }
            Shape::Hash(_) if matches!(name, "[]" | "fetch" | "dig" | "values_at") => {
                // A key that the request names, in a hash that the code wrote: the values are the code's.
                let value = if recv.is_fixed() { Value::harmless() } else { recv.element() };
                Some(if name == "fetch" { self.or_default(value, call, args) } else { value })
            }
            Shape::Hash(pairs)
                if matches!(
                    name,
                    "merge"
                        | "merge!"
                        | "update"
                        | "reverse_merge"
                        | "deep_merge"
                        | "deep_merge!"
                        | "reverse_merge!"
                        | "with_defaults"
                        | "with_defaults!"
                        | "reverse_update"
                ) =>
            {
                let mut all = pairs.to_vec();
                for arg in args {
                    match &arg.shape {
                        Shape::Hash(more) => {
                            for (key, value) in more.iter() {
                                match all.iter_mut().find(|(k, _)| k == key && k.is_some()) {
                                    Some((_, old))
                                        if name.starts_with("reverse") || name.starts_with("with_") =>
                                    {
                                        *old = old.clone();
                                    }
                                    Some((_, old)) => *old = value.clone(),
                                    None => all.push((*key, value.clone())),
                                }
                            }
                        }
                        _ => all.push((None, arg.clone())),
                    }
                }
                let value = Value { shape: Shape::Hash(Rc::new(all)), taints: recv.taints.clone() };
                if name.ends_with('!') || name == "update" {
                    self.write_back(call, value.clone());
                }
                Some(value)
            }
            Shape::Hash(_)
                if matches!(
                    name,
                    "symbolize_keys!"
                        | "stringify_keys!"
                        | "deep_symbolize_keys!"
                        | "deep_stringify_keys"
                        | "deep_stringify_keys!"
                        | "to_options"
                        | "to_options!"
                        | "nested_under_indifferent_access"
                ) =>
            {
                Some(recv.clone())
            }
            // Escaped on both sides of every `=`.
            Shape::Hash(_) if matches!(name, "to_param" | "to_query") => {
                let escaped = [
                    Mark::Html,
                    Mark::HtmlAttribute,
                    Mark::Url,
                    Mark::Script,
                    Mark::Style,
                    Mark::Redirect,
                    Mark::Request,
                    Mark::Open,
                ];
                let value = Value { shape: Shape::Unknown, taints: recv.deep_taints() };
                Some(value.cleared(Marks::of_all(&escaped)))
            }
            Shape::Array(items) if matches!(name, "[]" | "at" | "fetch" | "first" | "last") => {
                let index = args.first().and_then(|a| a.as_text()).and_then(|t| t.parse::<usize>().ok());
                let value = match (name, index) {
                    ("first", None) => items.first().cloned(),
                    ("last", None) => items.last().cloned(),
                    (_, Some(i)) => items.get(i).cloned(),
                    _ => None,
                };
                Some(value.unwrap_or_else(|| recv.element()))
            }
            Shape::Text(text) if args.is_empty() => {
                let text = match name {
                    "to_s" | "to_sym" | "freeze" | "dup" | "to_str" | "strip" | "squish" | "presence"
                    | "b" | "+@" | "-@" => text.to_string(),
                    "downcase" => text.to_lowercase(),
                    "upcase" => text.to_uppercase(),
                    "html_safe" => return Some(Value::shaped(Shape::Markup)),
                    _ => return None,
                };
                Some(Value::text(&text))
            }
            _ => None,
        }
    }

    /// `hash.fetch(key, default)`, `hash.fetch(key) { default }`
    fn or_default(&mut self, found: Value, call: &'a Call, args: &[Value]) -> Value {
        let found = args.get(1).map_or_else(|| found.clone(), |default| found.join(default));
        match self.run_block(call, None, None) {
            Some(default) => found.join(&default),
            None => found,
        }
    }

    /// A bare word that the framework gives meaning to.
    pub(crate) fn framework_word(&mut self, call: &'a Call, args: &[Value], span: Span) -> Option<Value> {
        let name = call.name.as_str();
        let outside = matches!(
            self.habitat,
            Habitat::Controller | Habitat::View | Habitat::Helper | Habitat::Endpoint | Habitat::Channel
        ) || matches!(self.unit, Unit::Body(_));
        let shadowed = !self.class.is_empty() && self.engine.app.index.find(self.class, call.name).is_some();
        match name {
            "params" if args.is_empty() && outside && !shadowed => {
                let words = Name::from("params");
                Some(Value::tainted(Shape::Params(words), source(SourceKind::Params, words, self.file, span)))
            }
            "params" if args.is_empty() && self.habitat == Habitat::Mailer => {
                Some(self.ivar(Name::from("@params")))
            }
            "request" if args.is_empty() && outside && !shadowed => {
                Some(Value::shaped(Shape::Special(Special::Request)))
            }
            "cookies" if args.is_empty() && outside && !shadowed => {
                Some(Value::shaped(Shape::Special(Special::Cookies)))
            }
            "session" if args.is_empty() && outside && !shadowed => {
                Some(Value::shaped(Shape::Special(Special::Sealed)))
            }
            "flash" if args.is_empty() && outside && !shadowed => {
                Some(Value::shaped(Shape::Special(Special::Flash)))
            }
            "controller_name"
            | "action_name"
            | "controller_path"
            | "l"
            | "t"
            | "translate"
            | "localize"
            | "image_path"
            | "asset_path"
            | "form_authenticity_token"
            | "csrf_meta_tags"
            | "csrf_meta_tag"
            | "url_for"
            | "_"
            | "n_"
            | "s_"
            | "N_"
                if !shadowed || matches!(name, "t" | "l" | "_") =>
            {
                self.framework_text(call, args, span)
            }
            "render" | "render_to_string" | "render_to_body" => Some(self.render(call, args, span)),
            "mail" if self.habitat == Habitat::Mailer => {
                self.sinks(call, None, args, span, false);
                self.render_mail(span);
                self.run_block(call, None, None);
                Some(Value::default())
            }
            "redirect" if self.in_routes() => {
                self.routes_redirect(call, args, span);
                Some(Value::harmless())
            }
            "local_assigns" => Some(Value::shaped(Shape::Special(Special::Flash)).clone()).filter(|_| false),
            _ if (name.ends_with("_path") || name.ends_with("_url")) && !shadowed && outside => {
                // A route helper, unless it is a variable handed to a template.
                (!self.is_template_variable(call)).then(Value::harmless)
            }
            _ => None,
        }
    }

    fn in_routes(&self) -> bool {
        matches!(self.unit, Unit::Body(_)) && self.engine.app.file(self.file).path.contains("routes")
    }

    /// `redirect { |params, request| … }` in the routes: what the block gives is where it leads.
    fn routes_redirect(&mut self, call: &'a Call, args: &[Value], span: Span) {
        let words = Name::from("params");
        let given = [
            Value::tainted(Shape::Params(words), source(SourceKind::Params, words, self.file, span)),
            Value::shaped(Shape::Special(Special::Request)),
        ];
        let target = match (&call.block, &call.block_arg, args.first()) {
            (Some(block), ..) => self.block(block, &given),
            (None, Some(handed), _) => match self.eval(handed).shape {
                Shape::Lambda(number) => self.call_lambda(number, &given),
                _ => return,
            },
            (None, None, Some(Value { shape: Shape::Lambda(number), .. })) => {
                self.call_lambda(*number, &given)
            }
            _ => return,
        };
        // What stands in a plain segment has no slash in it; `*path` may begin with one.
        let app = self.engine.app;
        let routes = String::from_utf8_lossy(&app.file(self.file).text);
        let open = |taint: &Taint| match &taint.origin {
            Origin::Source(SourceKind::Params, words) => {
                match words.strip_prefix("params[:").and_then(|w| w.split(']').next()) {
                    Some(key) => routes.contains(&format!("*{key}")),
                    None => routes.contains("/*"),
                }
            }
            _ => true,
        };
        let taints: Vec<Taint> =
            target.deep_taints().iter().flat_map(|t| t.iter()).filter(|t| open(t)).cloned().collect();
        let site = self.site(Mark::Redirect, call.name, span);
        self.sink(&site, &Some(taints.into()));
    }

    /// Words whose text is the application's own; values put into a translation come along.
    pub(crate) fn framework_text(&mut self, call: &'a Call, args: &[Value], span: Span) -> Option<Value> {
        if call.name == "url_for" {
            // With a whole parameter hash the host can be the user's; with names it cannot.
            // Of permitted parameters the code has named the keys: the host is seldom among them.
            let Some(whole) =
                args.first().filter(|a| !matches!(a.shape, Shape::Permitted) && !a.each_taint().is_empty())
            else {
                return Some(Value::harmless());
            };
            let paths = args.iter().any(|a| a.key("only_path").is_some_and(Value::is_fixed));
            let marks = if paths {
                Marks::of(Mark::Redirect) | Marks::of(Mark::Url) | Marks::of(Mark::Request)
            } else {
                Marks::NONE
            };
            return Some(Value { shape: Shape::Unknown, taints: whole.taints.clone() }.cleared(marks));
        }
        let html_key = args
            .first()
            .and_then(|a| a.as_text())
            .is_some_and(|k| k.ends_with("_html") || k.ends_with(".html"));
        let mut taints = None;
        for arg in args.iter().skip(1) {
            join_taints(&mut taints, &arg.deep_taints());
        }
        if html_key {
            let taints = map_taints(&taints, |t| t.cleared |= Marks::of(Mark::Html));
            return Some(Value { shape: Shape::Markup, taints });
        }
        let _ = span;
        Some(if taints.is_some() { Value { shape: Shape::Unknown, taints } } else { Value::harmless() })
    }

    /// In a template, a bare word that no helper explains is a variable that whoever renders it sets.
    pub(crate) fn is_template_variable(&self, call: &Call) -> bool {
        matches!(self.unit, Unit::Template(_)) && call.bare && self.params.contains(&call.name)
    }

    pub(crate) fn params_call(
        &mut self,
        call: &'a Call,
        recv: &Value,
        words: Name,
        args: &[Value],
        span: Span,
    ) -> Value {
        let name = call.name.as_str();
        let key = args.first().and_then(|a| a.as_text());
        match name {
            "[]" | "fetch" | "require" | "delete" | "dig" | "expect" | "required" => {
                let mut path = words.to_string();
                match key {
                    Some("controller" | "action") if words == "params" => return Value::harmless(),
                    Some(key) => path.push_str(&format!("[:{key}]")),
                    None => path.push_str("[…]"),
                }
                if name == "dig" {
                    for more in args.iter().skip(1) {
                        path.push_str(&format!("[:{}]", more.as_text().unwrap_or("…")));
                    }
                }
                let words = Name::from(path.as_str());
                let mut value = self.same_origin(recv, words, span, Shape::Params(words));
                if name == "expect" {
                    value.shape = Shape::Permitted;
                }
                if name == "fetch"
                    && let Some(default) = args.get(1)
                {
                    join_taints(&mut value.taints, &default.taints);
                }
                value
            }
            "slice" if !args.is_empty() => Value { shape: Shape::Permitted, taints: recv.taints.clone() },
            "permit" => Value { shape: Shape::Permitted, taints: recv.taints.clone() },
            "slice"
            | "except"
            | "to_unsafe_h"
            | "to_unsafe_hash"
            | "to_h"
            | "to_hash"
            | "with_indifferent_access"
            | "symbolize_keys"
            | "deep_symbolize_keys"
            | "stringify_keys"
            | "merge"
            | "reverse_merge"
            | "merge!"
            | "reject"
            | "select"
            | "dup"
            | "deep_dup"
            | "compact"
            | "compact_blank"
            | "permit!"
            | "presence"
            | "clone"
            | "transform_values"
            | "transform_keys"
            | "tap"
            | "then"
            | "deep_transform_keys"
            | "extract!"
            | "without"
            | "slice!"
            | "except!"
            | "delete_if"
            | "freeze"
            | "filter"
            | "symbolize_keys!"
            | "try"
            | "||" => {
                let mut value = recv.clone();
                for arg in args {
                    if name.contains("merge") {
                        join_taints(&mut value.taints, &arg.deep_taints());
                        if arg.key("only_path").or_else(|| arg.key("host")).is_some_and(Value::is_fixed) {
                            value = value.cleared(Marks::of(Mark::Redirect) | Marks::of(Mark::Url));
                        }
                    }
                }
                self.sinks(call, Some(recv), args, span, false);
                self.run_block(call, Some(recv), None);
                if matches!(name, "to_unsafe_h" | "to_unsafe_hash" | "permit!") {
                    let step = self.step(span, What::Opened(call.name));
                    value.taints = map_taints(&value.taints, |t| t.path = t.path.then(step));
                }
                value
            }
            "map" | "collect" | "flat_map" | "filter_map" | "each_with_object" | "sum" => {
                self.rest(call, recv, args, span)
            }
            "keys" | "each_key" | "values" | "values_at" | "to_a" | "each" | "each_pair" | "each_value"
            | "first" | "last" | "sort" | "split" | "each_with_index" | "inject" | "reduce" | "join"
            | "uniq" => {
                self.sinks(call, Some(recv), args, span, false);
                let item = self.same_origin(recv, words, span, Shape::Params(words));
                self.run_block_with(call, &[item.clone(), item.clone()]);
                match name {
                    "join" => Value { shape: Shape::Unknown, taints: recv.taints.clone() },
                    _ => item,
                }
            }
            "original_filename" | "read" | "path" | "tempfile" | "content_type" | "open" => {
                let words = Name::from(&format!("{words}.{name}"));
                let taint = source(SourceKind::Upload, words, self.file, span);
                // The server chose the path of the temporary file itself.
                if matches!(name, "path" | "tempfile") {
                    Value::harmless()
                } else {
                    Value::tainted(Shape::Unknown, taint)
                }
            }
            _ => {
                let plain = Value { shape: Shape::Unknown, taints: recv.taints.clone() };
                self.rest(call, &plain, args, span)
            }
        }
    }

    pub(crate) fn permitted_call(
        &mut self,
        call: &'a Call,
        recv: &Value,
        args: &[Value],
        span: Span,
    ) -> Value {
        match call.name.as_str() {
            "[]" | "fetch" | "delete" | "dig" | "require" => {
                let key = args.first().and_then(|a| a.as_text()).unwrap_or("…");
                let words = match recv.each_taint().first().map(|t| &t.origin) {
                    Some(Origin::Source(_, words)) => format!("{words}[:{key}]"),
                    _ => format!("params[:{key}]"),
                };
                let words = Name::from(words.as_str());
                self.same_origin(recv, words, span, Shape::Params(words))
            }
            "merge"
            | "except"
            | "slice"
            | "to_h"
            | "reverse_merge"
            | "merge!"
            | "tap"
            | "reject"
            | "dup"
            | "compact"
            | "symbolize_keys"
            | "with_indifferent_access"
            | "to_hash"
            | "deep_symbolize_keys"
            | "transform_values"
            | "permit"
            | "compact_blank"
            | "presence"
            | "delete_if"
            | "each"
            | "then"
            | "to_unsafe_h" => {
                self.run_block(call, Some(recv), None);
                recv.clone()
            }
            _ => {
                let plain = Value { shape: Shape::Unknown, taints: recv.taints.clone() };
                self.rest(call, &plain, args, span)
            }
        }
    }

    /// The same data, named more exactly from here.
    pub(crate) fn same_origin(&mut self, recv: &Value, words: Name, span: Span, shape: Shape) -> Value {
        let direct = recv.each_taint().iter().all(
            |t| matches!(&t.origin, Origin::Source(SourceKind::Params, w) if words.starts_with(w.as_str())),
        );
        if direct && recv.each_taint().len() == 1 {
            let mut taint = source(SourceKind::Params, words, self.file, span);
            let from = &recv.each_taint()[0];
            taint.cleared = from.cleared;
            taint.doubt = from.doubt;
            if from.path.steps().len() > 1 {
                taint.path = from.path.clone();
            }
            return Value::tainted(shape, taint);
        }
        Value { shape, taints: recv.taints.clone() }
    }

    pub(crate) fn special_call(
        &mut self,
        call: &'a Call,
        special: Special,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let name = call.name.as_str();
        let file = self.file;
        let from = |kind: SourceKind, words: String| {
            Value::tainted(Shape::Unknown, source(kind, Name::from(words.as_str()), file, span))
        };
        Some(match (special, name) {
            (
                Special::Request,
                "params" | "parameters" | "query_parameters" | "request_parameters" | "POST" | "GET",
            ) => {
                let words = Name::from("params");
                Value::tainted(Shape::Params(words), source(SourceKind::Params, words, self.file, span))
            }
            (Special::Request, "headers" | "env") => Value::shaped(Shape::Special(Special::Headers)),
            (Special::Request, "cookies" | "cookie_jar") => Value::shaped(Shape::Special(Special::Cookies)),
            (Special::Request, "session") => Value::shaped(Shape::Special(Special::Sealed)),
            (
                Special::Request,
                "body" | "raw_post" | "body_stream" | "referer" | "referrer" | "user_agent" | "query_string"
                | "url" | "original_url" | "fullpath" | "original_fullpath" | "path" | "path_info"
                | "request_uri" | "host" | "host_with_port" | "raw_host_with_port" | "subdomain" | "domain"
                | "authorization" | "accept" | "accepts" | "base_url" | "server_name" | "forwarded_for"
                | "x_forwarded_for",
            ) => {
                let mut value = from(SourceKind::Request, format!("request.{name}"));
                // The request's own path and host as the server got them: relative to this site.
                if matches!(
                    name,
                    "fullpath"
                        | "path"
                        | "path_info"
                        | "original_fullpath"
                        | "request_uri"
                        | "url"
                        | "original_url"
                        | "base_url"
                ) {
                    value = value
                        .cleared(Marks::of(Mark::Redirect) | Marks::of(Mark::Url) | Marks::of(Mark::Request));
                }
                value
            }
            (Special::Request, _) => Value::harmless(),
            (Special::Headers, "[]" | "fetch" | "get") => {
                let key = args.first().and_then(|a| a.as_text()).unwrap_or("…");
                if key.starts_with("rack.")
                    || key.starts_with("action_dispatch.")
                    || key.starts_with("warden")
                    || key.starts_with("omniauth")
                    || key == "REMOTE_ADDR"
                    || key == "REQUEST_METHOD"
                {
                    Value::harmless()
                } else {
                    from(SourceKind::Request, format!("request.headers[{key:?}]"))
                }
            }
            (Special::Cookies, "signed" | "encrypted" | "permanent") => {
                Value::shaped(Shape::Special(Special::Sealed))
            }
            (Special::Cookies, "[]" | "fetch" | "delete") => {
                let key = args.first().and_then(|a| a.as_text()).unwrap_or("…");
                from(SourceKind::Cookie, format!("cookies[:{key}]"))
            }
            (Special::Sealed, "[]=") => {
                if let Some(key) = args.first() {
                    let site = self.site(Mark::Session, Name::from("[]="), span);
                    self.sink(&site, &key.taints);
                }
                Value::harmless()
            }
            (Special::Flash, "now" | "keep") => Value::shaped(Shape::Special(Special::Flash)),
            (Special::Sealed | Special::Flash, "signed" | "encrypted" | "permanent") => {
                Value::shaped(Shape::Special(Special::Sealed))
            }
            _ => Value::default(),
        })
    }

    /// What `new` puts into the attributes of a class without an `initialize` of its own: members of a
    /// struct by position or name, attributes of a form object by name.
    fn assigned(&self, class: Name, args: &[Value]) -> Option<Vec<(Name, Value)>> {
        let index = &self.engine.app.index;
        let ancestors = || index.ancestors(class).iter().filter_map(|a| index.class(*a));
        let mut out = Vec::new();
        let set = |name: &Name, value: &Value| (Name::from(&format!("@{name}")), value.clone());
        if let Some(members) = ancestors().map(|c| &c.members).find(|m| !m.is_empty())
            && !matches!(args, [Value { shape: Shape::Hash(_), .. }])
        {
            out.extend(members.iter().zip(args).map(|(name, value)| set(name, value)));
            return Some(out);
        }
        let given = args.last()?;
        for name in ancestors().flat_map(|c| &c.attributes) {
            match &given.shape {
                Shape::Hash(pairs) => {
                    let named = pairs.iter().find(|(key, _)| *key == Some(*name));
                    out.extend(
                        named
                            .or_else(|| pairs.iter().find(|(key, _)| key.is_none()))
                            .map(|(_, v)| set(name, v)),
                    );
                }
                Shape::Params(_) | Shape::Permitted | Shape::Unknown => {
                    out.push(set(name, &Value { shape: Shape::Unknown, taints: given.taints.clone() }))
                }
                _ => {}
            }
        }
        (!out.is_empty()).then_some(out)
    }

    /// `X.new(…)`: an object with what its `initialize` put into it.
    pub(crate) fn construct(
        &mut self,
        class: Name,
        call: &'a Call,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let app = self.engine.app;
        if self.is_model(class) {
            return None;
        }
        let Some(id) = app.index.find(class, Name::from("initialize")) else {
            if app.index.find_singleton(class, call.name).is_some() {
                return None;
            }
            // A class of a gem or of Ruby holds what it is given.
            self.sinks(call, Some(&Value::shaped(Shape::Class(class))), args, span, false);
            let mut object = Value::object(class);
            if app.index.class(class).is_none() {
                for arg in args {
                    join_taints(&mut object.taints, &arg.deep_taints());
                }
                if let Some(sanitized) =
                    self.sanitized(call, Some(&Value::shaped(Shape::Class(class))), args, span)
                {
                    object = sanitized;
                }
            }
            if let Some(ivars) = self.assigned(class, args) {
                object.shape = Shape::Object(class, Some(Rc::new(ivars)));
            }
            self.run_block(call, Some(&object.clone()), None);
            return Some(object);
        };
        let unit = Unit::Method(id);
        let bound = self.bind(id, args);
        let summary = self.enter(unit, &bound);
        let step = self.step(span, What::Passed(Name::from(&format!("{class}.new")), Name::from("")));
        let binding = Binding { app: self.engine.app, args: &bound, ivars: &[], own: false, step };
        let hits: Vec<_> = summary.hits.clone();
        let ivars: Vec<(Name, Value)> =
            summary.ivars.iter().map(|(n, v)| (*n, binding.value(v, None))).collect();
        self.instantiate(&hits, &binding);
        self.run_block(call, None, None);
        Some(Value::shaped(Shape::Object(class, Some(Rc::new(ivars)))))
    }
}
