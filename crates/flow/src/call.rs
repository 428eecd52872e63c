//! Method calls: the framework's own words, sources, sinks, sanitizers, the application's methods,
//! and what is left when nothing is known.

use std::rc::Rc;

use wardroom_rails::{FileId, Habitat, MethodId};
use wardroom_ruby::ir::*;

use crate::engine::{Binding, Unit, source};
use crate::eval::{Env, Eval, cleared_by_prefix};
use crate::knowledge::{Carries, Mark, Marks, Receiver, Sink, SourceKind};
use crate::path::What;
use crate::value::{Doubt, Origin, Shape, Special, Taint, Taints, Value, join_taints, joined, map_taints};

impl<'a> Eval<'_, 'a> {
    pub fn call(&mut self, call: &'a Call, node: &'a Node) -> Value {
        let span = node.span;
        let name = call.name.as_str();
        // Inside of what is never run, or that runs no code of its own.
        if call.recv.is_none() {
            match name {
                "raise" | "fail" | "abort" | "exit" | "throw" | "head!" | "exit!" => {
                    for arg in &call.args {
                        self.eval(arg);
                    }
                    self.env.dead = true;
                    return Value::default();
                }
                "lambda" | "proc" if call.block.is_some() => {
                    if let Some(block) = &call.block {
                        self.block(block, &[]);
                    }
                    return Value::default();
                }
                "binding" | "block_given?" | "__method__" | "caller" => return Value::harmless(),
                _ => {}
            }
        }
        let recv = call.recv.as_ref().map(|r| self.eval(r));
        let mut args: Vec<Value> = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let value = self.eval(arg);
            if matches!(arg.kind, Kind::Splat(_))
                && let Shape::Array(items) = &value.shape
            {
                args.extend(items.iter().cloned());
                // What was appended to the list later stands behind what it began with.
                if value.taints.is_some() {
                    args.push(Value { shape: Shape::Unknown, taints: value.taints.clone() });
                }
            } else if matches!(&arg.kind, Kind::Splat(inner) if matches!(inner.kind, Kind::Nil))
                && value.taints.is_some()
            {
                // `new(...)`: what came in goes on, wherever it stood.
                args.extend([value.clone(), value.clone(), value.clone()]);
                args.push(Value::shaped(Shape::Hash(Rc::new(vec![(None, value)]))));
            } else {
                args.push(value);
            }
        }
        if let Some(arg) = &call.block_arg
            && !matches!(arg.kind, Kind::Sym(_))
        {
            self.eval(arg);
        }
        if self.env.dead {
            return Value::default();
        }
        let mut value = self.dispatch(call, node, recv.as_ref(), &args, span);
        if call.recv.is_none()
            && matches!(
                name,
                "render"
                    | "redirect_to"
                    | "head"
                    | "redirect_back"
                    | "render_404"
                    | "not_found"
                    | "render_403"
                    | "render_error"
                    | "deny_access"
                    | "access_denied"
                    | "forbidden"
                    | "redirect_back_or_to"
                    | "invalid_request"
            )
        {
            self.env.answered = true;
        }
        if matches!(name, "=~" | "match" | "match?" | "===" | "scan" | "slice" | "[]") {
            value = self.captured(call, recv.as_ref(), &args, value);
        }
        if matches!(value.shape, Shape::Unknown)
            && let Some(made) = self.engine.knowledge.makes.get(&call.name)
            && let Some((_, class)) = made.iter().find(|(on, _)| self.matches(on, call, recv.as_ref()))
        {
            value.shape = Shape::Object(*class, None);
        }
        if value.taints.is_some()
            && let Some(block) = &call.block
            && matches!(
                name,
                "select" | "filter" | "find" | "detect" | "find_all" | "keep_if" | "select!" | "filter!"
            )
            && self.keeps_listed(block, &value)
        {
            value = value.cleared(Marks::ALL);
        }
        if !self.env.cleared.is_empty() && value.taints.is_some() {
            // A check on this very expression made it harmless.
            if let Some(key) = self.expression_key(node) {
                let marks =
                    self.env.cleared.iter().filter(|(k, _)| *k == key).fold(Marks::NONE, |m, (_, c)| m | *c);
                if marks != Marks::ALL && marks.covers(Marks::GUARDED) {
                    return value
                        .cleared(marks.without(Marks::GUARDED))
                        .doubted(Doubt { guarded: true, ..Doubt::default() });
                }
                return value.cleared(marks);
            }
        }
        value
    }

    /// `select { |name| LIST.include?(name) }`: what is kept is in the list.
    fn keeps_listed(&mut self, block: &'a Block, item: &Value) -> bool {
        let [param] = block.params.as_slice() else { return false };
        if !param.inner.is_empty() {
            return false;
        }
        let before = self.env.clone();
        Env::set(
            &mut self.env.locals,
            param.name,
            Value { shape: Shape::Unknown, taints: item.taints.clone() },
        );
        self.refine(&block.body, true);
        let listed = self
            .env
            .local(param.name)
            .is_some_and(|v| v.each_taint().iter().all(|t| t.cleared == Marks::ALL));
        self.env = before;
        listed
    }

    fn dispatch(
        &mut self,
        call: &'a Call,
        node: &'a Node,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        if let Some(value) = self.framework(call, recv, args, span) {
            return value;
        }
        if let Some(value) = self.told_by_user(call, recv, args, span) {
            return value;
        }
        if let Some(unit) = self.resolve(call, recv, args) {
            self.sinks(call, recv, args, span, true);
            return self.apply(unit, call, recv, args, span);
        }
        if let Some(value) = self.plain_attribute(call, recv, args, span) {
            return value;
        }
        self.sinks(call, recv, args, span, false);
        if let Some(value) = self.sanitized(call, recv, args, span) {
            self.run_block(call, recv, None);
            return value;
        }
        if let Some(value) = self.sourced(call, recv, span) {
            self.run_block(call, recv, None);
            return value;
        }
        let record = match recv {
            Some(recv) if call.recv.as_ref().is_none_or(|r| !matches!(r.kind, Kind::SelfRef)) => {
                self.record_call(recv, call, span, args)
            }
            _ => self.own_attribute(call, span, args),
        };
        if let Some(mut value) = record {
            self.run_block(call, Some(&value.clone()), None);
            if call.name == "new" || call.name == "build" {
                value.taints = None;
            }
            return value;
        }
        if let Some(value) = self.guess(call, recv, args, span) {
            return value;
        }
        self.unknown(call, node, recv, args, span)
    }

    /// A match against a pattern of the code: what it captured stands in `$1` from here on, and what
    /// harmless groups capture is harmless.
    fn captured(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value], value: Value) -> Value {
        let (Some(receiver), Some(argument)) = (&call.recv, call.args.first()) else { return value };
        let (pattern, subject) = match (crate::guard::regex(receiver), crate::guard::regex(argument)) {
            (Some(pattern), _) => (pattern, args.first()),
            (None, Some(pattern)) => (pattern, recv),
            (None, None) => return value,
        };
        let groups = crate::guard::harmless_groups(&pattern);
        let chosen = match call.args.get(1).map(|a| &a.kind) {
            Some(Kind::Int(group)) => groups.get((*group as usize).wrapping_sub(1)).copied().unwrap_or(false),
            _ => !groups.is_empty() && groups.iter().all(|h| *h),
        };
        if call.name != "match?" && call.name != "[]" {
            self.env.last_match =
                subject.map(|s| (Value { shape: Shape::Unknown, taints: s.deep_taints() }, groups.into()));
        }
        if chosen { value.cleared(Marks::ALL) } else { value }
    }

    // ---- the framework's own words -------------------------------------------------------------

    fn framework(
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
        match &recv.shape {
            Shape::Params(words) => Some(self.params_call(call, recv, *words, args, span)),
            Shape::Permitted => Some(self.permitted_call(call, recv, args, span)),
            Shape::Special(special) => self.special_call(call, *special, args, span),
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
                join_taints(&mut value.taints, &recv.taints);
                if name == "fetch"
                    && exact.is_none()
                    && let Some(default) = args.get(1)
                {
                    value = value.join(default);
                }
                Some(value)
            }
            Shape::Hash(_) if matches!(name, "[]" | "fetch" | "dig" | "values_at") => {
                // A key that the request names, in a hash that the code wrote: the values are the code's.
                let value = recv.element();
                Some(if recv.is_fixed() { Value::harmless() } else { value })
            }
            Shape::Hash(pairs)
                if matches!(
                    name,
                    "merge" | "merge!" | "update" | "reverse_merge" | "deep_merge" | "reverse_merge!"
                ) =>
            {
                let mut all = pairs.to_vec();
                for arg in args {
                    match &arg.shape {
                        Shape::Hash(more) => {
                            for (key, value) in more.iter() {
                                match all.iter_mut().find(|(k, _)| k == key && k.is_some()) {
                                    Some((_, old)) if name.starts_with("reverse") => *old = old.clone(),
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

    /// A bare word that the framework gives meaning to.
    fn framework_word(&mut self, call: &'a Call, args: &[Value], span: Span) -> Option<Value> {
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
                Some(self.ivar(Name::from("@params"), span))
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
            "local_assigns" => Some(Value::shaped(Shape::Special(Special::Flash)).clone()).filter(|_| false),
            _ if (name.ends_with("_path") || name.ends_with("_url")) && !shadowed && outside => {
                // A route helper, unless it is a variable handed to a template.
                (!self.is_template_variable(call)).then(Value::harmless)
            }
            _ => None,
        }
    }

    /// Words whose text is the application's own; values put into a translation come along.
    fn framework_text(&mut self, call: &'a Call, args: &[Value], span: Span) -> Option<Value> {
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
    fn is_template_variable(&self, call: &Call) -> bool {
        matches!(self.unit, Unit::Template(_)) && call.bare && self.params.contains(&call.name)
    }

    fn params_call(
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
            | "to_query"
            | "to_json"
            | "as_json"
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
                if name == "to_json" {
                    value.shape = Shape::Unknown;
                }
                value
            }
            "keys" | "each_key" | "values" | "values_at" | "to_a" | "map" | "each" | "each_pair"
            | "collect" | "flat_map" | "each_value" | "first" | "last" | "sort" | "split"
            | "each_with_index" | "inject" | "reduce" | "join" | "uniq" => {
                self.sinks(call, Some(recv), args, span, false);
                let item = self.same_origin(recv, words, span, Shape::Params(words));
                let result = self.run_block_with(call, &[item.clone(), item.clone()]);
                match (name, result) {
                    ("map" | "collect" | "flat_map", Some(result)) => {
                        Value::shaped(Shape::Array(Rc::new(vec![result])))
                    }
                    ("join", _) => Value { shape: Shape::Unknown, taints: recv.taints.clone() },
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

    fn permitted_call(&mut self, call: &'a Call, recv: &Value, args: &[Value], span: Span) -> Value {
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
    fn same_origin(&mut self, recv: &Value, words: Name, span: Span, shape: Shape) -> Value {
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

    fn special_call(
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

    /// `X.new(…)`: an object with what its `initialize` put into it.
    fn construct(&mut self, class: Name, call: &'a Call, args: &[Value], span: Span) -> Option<Value> {
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
            self.run_block(call, Some(&object.clone()), None);
            return Some(object);
        };
        let unit = Unit::Method(id);
        let bound = self.bind(id, args);
        let summary = self.enter(unit, &bound);
        let step = self.step(span, What::Passed(Name::from(&format!("{class}.new")), Name::from("")));
        let binding = Binding { args: &bound, ivars: &[], own: false, step };
        let hits: Vec<_> = summary.hits.clone();
        let ivars: Vec<(Name, Value)> =
            summary.ivars.iter().map(|(n, v)| (*n, binding.value(v, None))).collect();
        self.instantiate(&hits, &binding);
        self.run_block(call, None, None);
        Some(Value::shaped(Shape::Object(class, Some(Rc::new(ivars)))))
    }

    // ---- the application's own methods ---------------------------------------------------------

    /// The method of the application that a call reaches.
    fn resolve(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value]) -> Option<MethodId> {
        let app = self.engine.app;
        let name = match call.name.as_str() {
            "send" | "public_send" | "__send__" | "try" | "try!" => Name::from(args.first()?.as_text()?),
            _ => call.name,
        };
        let own = match (&call.recv, recv) {
            (None | Some(Node { kind: Kind::SelfRef, .. }), _) => true,
            (Some(Node { kind: Kind::Call(inner), .. }), _) => {
                // `helpers.x`, `view_context.x`, `self.class.x`
                inner.recv.is_none()
                    && matches!(
                        inner.name.as_str(),
                        "helpers" | "view_context" | "helper" | "h" | "controller"
                    )
            }
            _ => false,
        };
        if own {
            return self.resolve_own(name);
        }
        match &recv?.shape {
            Shape::Class(class) => {
                app.index.find_singleton(*class, name).or_else(|| self.resolve_later(*class, name))
            }
            Shape::Object(class, _) => app.index.find(*class, name),
            Shape::Relation(class) => app.index.find_singleton(*class, name),
            _ => None,
        }
    }

    /// `SomeJob.perform_later(x)`, `SomeMailer.welcome(x)`: a call on the class that runs a method of
    /// an object.
    fn resolve_later(&self, class: Name, name: Name) -> Option<MethodId> {
        let app = self.engine.app;
        let file = app.index.class(class)?.places.first()?.0;
        match name.as_str() {
            "perform_later" | "perform_async" | "perform_now" | "perform_in" | "perform_at"
            | "perform_inline" | "perform_bulk" | "enqueue" => app.index.find(class, Name::from("perform")),
            _ if app.habitat(class, file) == Habitat::Mailer => app.index.find(class, name),
            _ => None,
        }
    }

    pub fn resolve_own(&self, name: Name) -> Option<MethodId> {
        let app = self.engine.app;
        let found = if self.singleton {
            app.index.find_singleton(self.class, name)
        } else {
            app.index.find(self.class, name)
        };
        if found.is_some() {
            return found;
        }
        if matches!(self.unit, Unit::Body(_)) && !self.class.is_empty() {
            // A block in a class body mostly runs on an object (Grape's and Sinatra's routes).
            let found = app.index.find(self.class, name);
            if found.is_some() {
                return found;
            }
        }
        if matches!(self.habitat, Habitat::View | Habitat::Helper | Habitat::Mailer)
            && let Some(id) = app.view_methods.get(&name)
        {
            return Some(*id);
        }
        for includer in app.includers(self.class).iter().take(4) {
            let found = if self.singleton {
                app.index.find_singleton(*includer, name)
            } else {
                app.index.find(*includer, name)
            };
            if found.is_some() {
                return found;
            }
        }
        app.index.class(Name::from(""))?.methods.get(&name).copied()
    }

    /// A method that `attr_reader`, `attr_accessor` or `delegate` made.
    fn plain_attribute(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let app = self.engine.app;
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        if own && !self.singleton && !self.class.is_empty() {
            let name = call.name.as_str();
            if let (Some(base), Some(value)) = (name.strip_suffix('='), args.last()) {
                if app.index.has_attribute(self.class, Name::from(base)) {
                    Env::set(&mut self.env.ivars, Name::from(&format!("@{base}")), value.clone());
                    return Some(value.clone());
                }
                return None;
            }
            if args.is_empty() && app.index.has_attribute(self.class, call.name) {
                return Some(self.ivar(Name::from(&format!("@{name}")), span));
            }
            let to = app.index.delegate(self.class, call.name)?;
            let target = match app.index.find(self.class, to) {
                Some(id) => {
                    let summary = self.enter(Unit::Method(id), &[]);
                    let ivars = self.env.ivars.clone();
                    let step = self.step(span, What::Passed(to, Name::from("")));
                    Binding { args: &[], ivars: &ivars, own: true, step }.value(&summary.result, None)
                }
                None if app.index.has_attribute(self.class, to) => {
                    self.ivar(Name::from(&format!("@{to}")), span)
                }
                None => {
                    let class = self.model_of_self()?;
                    let association = app.models.get(&class)?.associations.get(&to)?;
                    Value::object(association.class)
                }
            };
            return self.record_call(&target, call, span, args);
        }
        match &recv?.shape {
            Shape::Object(class, Some(ivars))
                if args.is_empty() && app.index.has_attribute(*class, call.name) =>
            {
                let name = Name::from(&format!("@{}", call.name));
                Some(ivars.iter().find(|(n, _)| *n == name).map_or_else(Value::default, |(_, v)| v.clone()))
            }
            _ => None,
        }
    }

    /// The callee's parameters in its own order.
    fn bind(&self, id: MethodId, args: &[Value]) -> Vec<Value> {
        let params = self.engine.app.index.method(id).params;
        let takes_keywords =
            params.iter().any(|p| matches!(p.form, ParamForm::Keyword | ParamForm::KeywordRest));
        let (positional, keywords): (&[Value], Option<&Value>) = match args.split_last() {
            Some((last, rest)) if takes_keywords && matches!(last.shape, Shape::Hash(_)) => {
                (rest, Some(last))
            }
            _ => (args, None),
        };
        let after_rest = params
            .iter()
            .skip_while(|p| p.form != ParamForm::Rest)
            .filter(|p| p.form == ParamForm::Required)
            .count();
        let mut out = Vec::with_capacity(params.len());
        let mut next = 0;
        for (i, param) in params.iter().enumerate() {
            let value = match param.form {
                ParamForm::Required | ParamForm::Optional => {
                    next += 1;
                    positional.get(next - 1).cloned().unwrap_or_else(|| absent(param))
                }
                ParamForm::Rest | ParamForm::Forward => {
                    let end = positional.len().saturating_sub(after_rest).max(next.min(positional.len()));
                    let items = positional[next.min(positional.len())..end].to_vec();
                    next = end;
                    let _ = i;
                    Value::shaped(Shape::Array(Rc::new(items)))
                }
                ParamForm::Keyword => match keywords {
                    Some(hash) => match hash.key(&param.name) {
                        Some(value) => value.clone(),
                        None => match &hash.shape {
                            // `**options` may hold it.
                            Shape::Hash(pairs) => pairs
                                .iter()
                                .find(|(k, _)| k.is_none())
                                .map_or_else(|| absent(param), |(_, v)| v.clone()),
                            _ => absent(param),
                        },
                    },
                    None => absent(param),
                },
                ParamForm::KeywordRest => match keywords {
                    Some(Value { shape: Shape::Hash(pairs), taints }) => {
                        let rest = pairs.iter().filter(|(k, _)| {
                            !params.iter().any(|p| Some(p.name) == *k && p.form == ParamForm::Keyword)
                        });
                        Value { shape: Shape::Hash(Rc::new(rest.cloned().collect())), taints: taints.clone() }
                    }
                    _ => Value::shaped(Shape::Hash(Rc::default())),
                },
                ParamForm::Block => Value::default(),
            };
            out.push(value);
        }
        out
    }

    /// Notes a call and fetches the callee's summary.
    fn enter(&mut self, unit: Unit, args: &[Value]) -> Rc<crate::summary::Summary> {
        self.engine.callers.entry(unit).or_default().insert(self.unit);
        for (i, arg) in args.iter().enumerate() {
            let seen = self.engine.seen.entry((unit, i as u16)).or_default();
            seen.calls += 1;
            seen.open +=
                u32::from(!arg.is_fixed() && arg.each_taint().iter().all(|t| t.cleared != Marks::ALL));
        }
        self.engine.summary(unit)
    }

    fn instantiate(&mut self, hits: &[crate::summary::Hit], binding: &Binding<'_>) {
        let mut taints = Vec::new();
        for hit in hits {
            if matches!(hit.mark, Mark::Render | Mark::Redirect)
                && let Origin::Param(index, None) = hit.taint.origin
                && binding.args.get(usize::from(index)).is_some_and(|arg| self.finds_its_own_place(arg))
            {
                continue;
            }
            taints.clear();
            binding.taints(&hit.taint, &mut taints);
            for taint in taints.drain(..) {
                let hit = crate::summary::Hit { taint, ..hit.clone() };
                self.engine.record(self.unit, hit, &mut self.hits, false);
            }
        }
    }

    fn apply(
        &mut self,
        id: MethodId,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        let method = self.engine.app.index.method(id);
        // `send(:name, a)` hands on what follows the name.
        let dynamic = matches!(call.name.as_str(), "send" | "public_send" | "__send__" | "try" | "try!")
            && call.name != method.name;
        let delayed = matches!(call.name.as_str(), "perform_in" | "perform_at");
        let args = if dynamic || delayed { args.get(1..).unwrap_or_default() } else { args };
        let args = self.bind(id, args);
        let unit = Unit::Method(id);
        let summary = self.enter(unit, &args);
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        let known: Vec<(Name, Value)> = match recv.map(|r| &r.shape) {
            _ if own => self.env.ivars.clone(),
            Some(Shape::Object(_, Some(ivars))) => ivars.to_vec(),
            _ => Vec::new(),
        };
        let step = self.step(span, What::Passed(method.name, Name::from("")));
        let binding = Binding { args: &args, ivars: &known, own, step };
        self.instantiate(&summary.hits, &binding);
        let returned = self.step(span, What::Returned(method.name));
        let mut value = binding.value(&summary.result, Some(returned));
        if own && !self.singleton {
            for (name, written) in &summary.ivars {
                let written = binding.value(written, None);
                let merged = match self.env.ivars.iter().find(|(n, _)| n == name) {
                    Some((_, old)) if written.taints.is_none() => old.join(&written),
                    Some((_, old)) => {
                        Value { shape: written.shape.clone(), taints: joined(&written.taints, &old.taints) }
                    }
                    None => written,
                };
                Env::set(&mut self.env.ivars, *name, merged);
            }
        }
        let yields: Vec<Value> = summary.yields.iter().map(|v| binding.value(v, None)).collect();
        let block_value = self.run_block(call, recv, Some(&yields));
        // A method on a relation or model whose value is not known is mostly a scope.
        if matches!(value.shape, Shape::Unknown | Shape::Harmless) && method.singleton {
            match recv.map(|r| &r.shape) {
                Some(Shape::Relation(class)) if value.taints.is_none() => {
                    value.shape = Shape::Relation(*class)
                }
                _ => {}
            }
        }
        if let Some(block_value) = block_value
            && value.taints.is_none()
            && matches!(value.shape, Shape::Unknown)
            && !summary.yields.is_empty()
        {
            join_taints(&mut value.taints, &block_value.taints);
        }
        value
    }

    pub fn super_call(&mut self, call: &'a Call, node: &'a Node) -> Value {
        let Unit::Method(current) = self.unit else { return Value::default() };
        let all = matches!(call.args.as_slice(), [Node { kind: Kind::Splat(inner), .. }] if matches!(inner.kind, Kind::Nil));
        let args: Vec<Value> =
            if all { self.param_values.clone() } else { call.args.iter().map(|a| self.eval(a)).collect() };
        let method = self.engine.app.index.method(current);
        let (owner, name, singleton) = (method.owner, method.name, method.singleton);
        let found = if singleton { None } else { self.engine.app.index.find_super(self.class, owner, name) };
        match found {
            Some(id) if id != current => self.apply(id, call, None, &args, node.span),
            _ => {
                self.run_block(call, None, None);
                let mut value = Value::default();
                for arg in &args {
                    join_taints(&mut value.taints, &arg.taints);
                }
                if matches!(self.habitat, Habitat::Helper) {
                    value = value.cleared(Marks::of(Mark::Html));
                }
                value
            }
        }
    }

    /// An unresolved call on something unknown, with data in it: the only method of that name that
    /// the application has.
    fn guess(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value], span: Span) -> Option<Value> {
        let app = self.engine.app;
        let unknown = match recv {
            Some(recv) => matches!(recv.shape, Shape::Unknown) && call.recv.is_some(),
            None => false,
        };
        let tainted = args.iter().any(|a| a.deep_taints().is_some());
        if !unknown
            || !tainted
            || call.name.len() < 5
            || self.engine.knowledge.carries.contains_key(&call.name)
        {
            return None;
        }
        let [id] = app.index.by_name.get(&call.name)?.as_slice() else { return None };
        let method = app.index.method(*id);
        if method.singleton || method.params.is_empty() || method.params.len() < args.len() {
            return None;
        }
        let doubt = Doubt { guessed: true, ..Doubt::default() };
        let args: Vec<Value> = args.iter().map(|a| a.clone().doubted(doubt)).collect();
        Some(self.apply(*id, call, recv, &args, span))
    }

    // ---- templates -----------------------------------------------------------------------------

    /// `render SomeComponent.new(…)`
    fn render_component(&mut self, component: &Value, span: Span) -> bool {
        let Shape::Object(class, ivars) = &component.shape else { return false };
        let app = self.engine.app;
        let Some(file) = app.index.class(*class).and_then(|c| c.places.first()).map(|p| p.0) else {
            return false;
        };
        if app.habitat(*class, file) != Habitat::View {
            return false;
        }
        let ivars = ivars.clone().unwrap_or_default();
        let step = self.step(span, What::Passed(*class, Name::from("")));
        let methods = ["call", "view_template", "template", "show"]
            .map(|m| app.index.find(*class, Name::from(m)).map(Unit::Method));
        let units =
            methods.into_iter().flatten().chain(app.templates_of(*class).into_iter().map(Unit::Template));
        for unit in units {
            let summary = self.enter(unit, &[]);
            let binding = Binding { args: &[], ivars: &ivars, own: false, step };
            self.instantiate(&summary.hits, &binding);
        }
        true
    }

    fn render(&mut self, call: &'a Call, args: &[Value], span: Span) -> Value {
        if args.first().is_some_and(|component| self.render_component(component, span)) {
            self.run_block(call, None, None);
            return Value::shaped(Shape::Markup);
        }
        self.sinks(call, None, args, span, false);
        let folder = self.engine.app.render_folder(self.class, self.file);
        let in_view = matches!(self.habitat, Habitat::View | Habitat::Helper);
        let options = args.iter().find(|a| matches!(a.shape, Shape::Hash(_)));
        let option = |key: &str| options.and_then(|o| o.key(key));
        let mut locals: Vec<(Name, Value)> = Vec::new();
        if let Some(given) = option("locals") {
            match &given.shape {
                Shape::Hash(pairs) => {
                    locals.extend(pairs.iter().filter_map(|(k, v)| k.map(|k| (k, v.clone()))))
                }
                _ => locals.push((Name::from("**"), given.clone())),
            }
        }
        let first = args.first().and_then(|a| a.as_text());
        if first.is_some()
            && in_view
            && let Some(Value { shape: Shape::Hash(pairs), .. }) = args.get(1)
        {
            locals.extend(pairs.iter().filter_map(|(k, v)| k.map(|k| (k, v.clone()))));
        }
        let views = &self.engine.app.views;
        let mut files: Vec<FileId> = Vec::new();
        let mut named: Option<String> = None;
        let partial = option("partial").and_then(|p| p.as_text()).or(if in_view { first } else { None });
        if let Some(partial) = partial {
            files.extend(views.partial(partial, &folder));
            named = Some(partial.rsplit('/').next().unwrap_or(partial).to_owned());
        } else {
            let template = option("template")
                .or_else(|| option("action"))
                .and_then(|t| t.as_text())
                .or(if in_view { None } else { first });
            if let Some(template) = template {
                let full =
                    if template.contains('/') { template.to_owned() } else { format!("{folder}/{template}") };
                files.extend(views.get(&full));
            }
            // `render @post`, `render @posts`
            if let Some(Shape::Object(class, _) | Shape::Relation(class)) = args.first().map(|a| &a.shape) {
                let path = wardroom_rails::underscore(class);
                let base = path.rsplit('/').next().unwrap_or(&path).to_owned();
                let plural = wardroom_rails::plural(&base);
                files.extend(views.get(&format!("{plural}/_{base}")));
                locals
                    .push((Name::from(base.as_str()), args.first().map(|a| a.element()).unwrap_or_default()));
            }
        }
        if let Some(named) = &named {
            let key = option("as").and_then(|a| a.as_text()).unwrap_or(named).to_owned();
            if let Some(collection) = option("collection") {
                locals.push((Name::from(key.as_str()), collection.element()));
            } else if let Some(object) = option("object") {
                locals.push((Name::from(key.as_str()), object.clone()));
            }
        }
        files.truncate(3);
        for file in files {
            self.render_template(file, &locals, span);
        }
        self.run_block(call, None, None);
        // What a template gives back has been looked at within it.
        Value::shaped(Shape::Markup)
    }

    /// The template of a mailer's method takes the variables that it has set.
    fn render_mail(&mut self, span: Span) {
        let Unit::Method(id) = self.unit else { return };
        let app = self.engine.app;
        let path = format!("{}/{}", wardroom_rails::underscore(&self.class), app.index.method(id).name);
        for file in app.views.get(&path) {
            self.render_template(*file, &[], span);
        }
    }

    /// Applies a template with these variables and the instance variables of here.
    pub fn render_template(&mut self, file: FileId, locals: &[(Name, Value)], span: Span) {
        let unit = Unit::Template(file);
        self.engine.callers.entry(unit).or_default().insert(self.unit);
        let summary = self.engine.summary(unit);
        let params = self.engine.template_params(file);
        let rest = locals.iter().find(|(n, _)| *n == "**").map(|(_, v)| v.clone()).unwrap_or_default();
        let args: Vec<Value> = params
            .iter()
            .map(|p| locals.iter().find(|(n, _)| n == p).map_or_else(|| rest.clone(), |(_, v)| v.clone()))
            .collect();
        for (i, arg) in args.iter().enumerate() {
            let seen = self.engine.seen.entry((unit, i as u16)).or_default();
            seen.calls += 1;
            seen.open += u32::from(!arg.is_fixed());
        }
        let step = self.step(span, What::Rendered(Name::from(&self.engine.app.file(file).path)));
        let ivars = self.env.ivars.clone();
        let binding = Binding { args: &args, ivars: &ivars, own: true, step };
        self.instantiate(&summary.hits, &binding);
    }

    // ---- knowledge -----------------------------------------------------------------------------

    fn matches(&self, on: &[Receiver], call: &Call, recv: Option<&Value>) -> bool {
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }));
        on.iter().any(|receiver| match receiver {
            Receiver::Any => true,
            Receiver::Own => own,
            Receiver::Record => match recv.map(|r| &r.shape) {
                _ if own => self.model_of_self().is_some() && self.singleton,
                Some(Shape::Relation(_)) => true,
                Some(Shape::Class(class)) => self.is_model(*class),
                _ => false,
            },
            Receiver::MaybeRecord => match recv.map(|r| &r.shape) {
                _ if own => {
                    self.habitat == Habitat::Model && (self.singleton || self.model_of_self().is_none())
                }
                Some(Shape::Relation(_) | Shape::Unknown | Shape::Object(..)) => true,
                Some(Shape::Class(class)) => self.is_model(*class),
                _ => false,
            },
            Receiver::Object => {
                matches!(recv.map(|r| &r.shape), Some(Shape::Object(class, _)) if self.is_model(*class))
                    || own && self.model_of_self().is_some() && !self.singleton
            }
            Receiver::Connection => match &call.recv {
                Some(Node { kind: Kind::Call(inner), .. }) => matches!(
                    inner.name.as_str(),
                    "connection" | "conn" | "raw_connection" | "lease_connection"
                ),
                Some(Node { kind: Kind::Local(name) | Kind::Ivar(name), .. }) => {
                    matches!(name.trim_start_matches('@'), "connection" | "conn" | "db")
                }
                None => {
                    matches!(
                        call.name.as_str(),
                        "execute"
                            | "select_all"
                            | "select_values"
                            | "select_value"
                            | "select_rows"
                            | "exec_query"
                    ) && self.habitat != Habitat::Job
                }
                _ => false,
            },
            Receiver::Constant(path) => match &call.recv {
                Some(Node { kind: Kind::Const(written), .. }) => {
                    let written = wardroom_rails::path_name(written);
                    written == *path
                        || written.strip_suffix(path.as_str()).is_some_and(|rest| rest.ends_with("::"))
                }
                Some(_) => matches!(recv.map(|r| &r.shape), Some(Shape::Class(class)) if class == path),
                None => false,
            },
            Receiver::Instance(class) => match recv.map(|r| &r.shape) {
                Some(Shape::Object(found, _)) => found == class,
                _ => false,
            },
            Receiver::Unknown => matches!(recv.map(|r| &r.shape), Some(Shape::Unknown)),
            Receiver::Called(name) => {
                matches!(&call.recv, Some(Node { kind: Kind::Call(inner), .. }) if inner.name == *name)
            }
        })
    }

    /// Notes data at the sinks that a call is. `resolved`: the application defines the method
    /// itself, so only entries on constants hold.
    fn sinks(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value], span: Span, resolved: bool) {
        let knowledge = self.engine.knowledge;
        let Some(entries) = knowledge.sinks.get(&call.name) else { return };
        for entry in entries {
            // The application's own `redirect_to` hands on to the framework's.
            let extends = matches!(call.name.as_str(), "redirect_to" | "send_file");
            if resolved && !extends && !entry.on.iter().any(|o| matches!(o, Receiver::Constant(_))) {
                continue;
            }
            if self.matches(&entry.on, call, recv) {
                self.sink_arguments(entry, call, recv, args, span);
            }
        }
    }

    fn sink_arguments(
        &mut self,
        entry: &Sink,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) {
        let mut reached: Vec<(Name, Value)> = Vec::new();
        let arguments = &entry.arguments;
        if arguments.receiver
            && let Some(recv) = recv
        {
            reached.push((Name::from("receiver"), recv.clone()));
        }
        for (i, arg) in args.iter().enumerate() {
            // With a block, `link_to` and its kin take the URL first.
            let shift = u8::from(
                call.block.is_some()
                    && matches!(call.name.as_str(), "link_to" | "link_to_if" | "link_to_unless"),
            );
            if arguments.all && !matches!(arg.shape, Shape::Hash(_))
                || arguments.positions.iter().any(|p| usize::from(p.saturating_sub(shift)) == i)
            {
                reached.push((Name::from(&i.to_string()), arg.clone()));
            }
        }
        if !arguments.keywords.is_empty()
            && let Some(hash) = args.iter().rev().find(|a| matches!(a.shape, Shape::Hash(_)))
        {
            for key in &arguments.keywords {
                if let Some(value) = hash.key(key) {
                    reached.push((*key, value.clone()));
                }
            }
        }
        for (argument, value) in reached {
            let value = match &value.shape {
                Shape::Array(items) if entry.array_first => items.first().cloned().unwrap_or_default(),
                Shape::Hash(_) | Shape::Permitted if entry.hash_safe => continue,
                _ => value,
            };
            if matches!(value.shape, Shape::Permitted)
                && matches!(entry.mark, Mark::MassAssign | Mark::Redirect)
            {
                continue;
            }
            // `render @post`, `redirect_to @post`: a record finds its own template and address.
            if matches!(entry.mark, Mark::Render | Mark::Redirect) && self.finds_its_own_place(&value) {
                continue;
            }
            let taints =
                if entry.mark == Mark::MassAssign { value.taints.clone() } else { value.deep_taints() };
            if taints.is_none() {
                continue;
            }
            if entry.mark == Mark::MassAssign && !matches!(value.shape, Shape::Params(_)) {
                continue;
            }
            let mut site = self.site(entry.mark, call.name, span);
            site.argument = argument;
            self.sink(&site, &taints);
        }
    }

    /// What a user's own knowledge file says of a method goes before the method's own code.
    fn told_by_user(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let knowledge = self.engine.knowledge;
        if !knowledge.told.contains(&call.name) {
            return None;
        }
        self.sinks(call, recv, args, span, false);
        self.sanitized(call, recv, args, span).or_else(|| self.sourced(call, recv, span))
    }

    /// A record, a list or a hash as the target of `render` and `redirect_to`: only a text names
    /// a template or a host.
    fn finds_its_own_place(&self, value: &Value) -> bool {
        match &value.shape {
            Shape::Object(class, _) => self.engine.app.index.class(*class).is_some(),
            Shape::Relation(_) | Shape::Array(_) | Shape::Hash(_) => true,
            _ => false,
        }
    }

    fn sanitized(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        _span: Span,
    ) -> Option<Value> {
        let knowledge = self.engine.knowledge;
        let mut found = false;
        let mut clears = Marks::NONE;
        let mut markup = false;
        for entry in knowledge.sanitizers.get(&call.name)?.iter().filter(|s| self.matches(&s.on, call, recv))
        {
            found = true;
            clears |= entry.clears;
            markup |= entry.markup;
        }
        if !found {
            return None;
        }
        if call.name == "to_json" && self.engine.escapes_json {
            // Active Support writes `<`, `>` and `&` as escapes.
            clears |= Marks::of(Mark::Html) | Marks::of(Mark::Script);
        }
        if clears == Marks::ALL && !markup {
            return Some(Value::harmless());
        }
        let mut taints: Taints =
            recv.filter(|r| !matches!(r.shape, Shape::Class(_))).and_then(Value::deep_taints);
        for arg in args {
            join_taints(&mut taints, &arg.deep_taints());
        }
        let shape = if markup {
            Shape::Markup
        } else if taints.is_none() && recv.is_none_or(Value::is_fixed) && args.iter().all(Value::is_fixed) {
            Shape::Harmless
        } else {
            Shape::Unknown
        };
        Some(Value { shape, taints: map_taints(&taints, |t| t.cleared |= clears) })
    }

    fn sourced(&mut self, call: &'a Call, recv: Option<&Value>, span: Span) -> Option<Value> {
        let knowledge = self.engine.knowledge;
        let entry = knowledge.sources.get(&call.name)?.iter().find(|s| self.matches(&s.on, call, recv))?;
        let words = match &call.recv {
            Some(Node { kind: Kind::Const(path), .. }) => {
                format!("{}.{}", wardroom_rails::path_name(path), call.name)
            }
            _ => call.name.to_string(),
        };
        Some(Value::tainted(Shape::Unknown, source(entry.kind, Name::from(words.as_str()), self.file, span)))
    }

    // ---- everything else -----------------------------------------------------------------------

    /// What is left for a value of no special shape: sinks, sanitizers, then the default.
    fn rest(&mut self, call: &'a Call, recv: &Value, args: &[Value], span: Span) -> Value {
        self.sinks(call, Some(recv), args, span, false);
        if let Some(value) = self.sanitized(call, Some(recv), args, span) {
            return value;
        }
        self.carried(call, Some(recv), args, span)
    }

    fn unknown(
        &mut self,
        call: &'a Call,
        node: &'a Node,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Value {
        // A bare word in a template: a variable that whoever renders it sets.
        let word =
            matches!(self.engine.knowledge.carries.get(&call.name), Some(Carries::Nothing | Carries::First));
        if recv.is_none()
            && matches!(self.unit, Unit::Template(_))
            && args.is_empty()
            && call.block.is_none()
            && !word
        {
            return self.template_variable(call.name, node.span);
        }
        self.carried(call, recv, args, span)
    }

    fn template_variable(&mut self, name: Name, span: Span) -> Value {
        let index = match self.params.iter().position(|p| *p == name) {
            Some(index) => index,
            None => {
                self.params.push(name);
                self.params.len() - 1
            }
        };
        self.placeholder(Origin::Param(index as u16, None), span, name)
    }

    /// How a call that is not the application's own hands data on.
    fn carried(&mut self, call: &'a Call, recv: Option<&Value>, args: &[Value], span: Span) -> Value {
        let name = call.name.as_str();
        if let Some(recv) = recv {
            match name {
                "+" | "concat" | "<<" | "append" | "prepend" | "push" | "unshift" | "insert"
                | "safe_concat"
                    if !args.is_empty() =>
                {
                    let list = matches!(name, "push" | "unshift");
                    let value = args.iter().fold(recv.clone(), |left, right| match list {
                        true => Value {
                            shape: left.shape.clone(),
                            taints: joined(&left.deep_taints(), &right.deep_taints()),
                        },
                        false => self.concatenate(&left, right.clone(), span),
                    });
                    if name != "+" {
                        self.write_back(call, value.clone());
                    }
                    return value;
                }
                "*" if matches!(recv.shape, Shape::Text(_)) => return Value::harmless(),
                // What is in both lists: if one of them is the code's own, so is that.
                "&" => {
                    let other = args.first().map(Value::deep_taints);
                    let mine = recv.deep_taints();
                    let open =
                        mine.iter().flat_map(|t| t.iter()).any(|t| matches!(t.origin, Origin::Source(..)));
                    let taints = if open { other.flatten() } else { mine };
                    return Value { shape: Shape::Unknown, taints };
                }
                // A path that goes on behind a directory begins with the directory.
                "join"
                    if !args.is_empty()
                        && !matches!(recv.shape, Shape::Array(_) | Shape::Params(_) | Shape::Permitted) =>
                {
                    let class = matches!(recv.shape, Shape::Class(_));
                    let mut taints = if class { None } else { recv.deep_taints() };
                    for (i, arg) in args.iter().enumerate() {
                        let behind = !class || i > 0;
                        let marks = if behind {
                            Marks::of(Mark::Open) | Marks::of(Mark::Argument)
                        } else {
                            Marks::NONE
                        };
                        join_taints(&mut taints, &map_taints(&arg.deep_taints(), |t| t.cleared |= marks));
                    }
                    let fixed = recv.is_fixed() && args.iter().all(Value::is_fixed);
                    return Value { shape: if fixed { Shape::Harmless } else { Shape::Unknown }, taints };
                }
                "%" | "format" => {
                    let mut value = recv.clone();
                    let marks = recv
                        .as_text()
                        .map_or(Marks::NONE, |t| cleared_by_prefix(t.split('%').next().unwrap_or_default()));
                    let fixed = recv.as_text().is_some_and(|t| t.contains("%d") && !t.contains("%s"));
                    for arg in args {
                        let more = map_taints(&arg.deep_taints(), |t| {
                            t.cleared |= if fixed { Marks::ALL } else { marks }
                        });
                        join_taints(&mut value.taints, &more);
                    }
                    value.shape = Shape::Unknown;
                    return value;
                }
                "[]=" | "store" => {
                    self.store(call, recv, args);
                    return args.last().cloned().unwrap_or_default();
                }
                _ => {}
            }
            if name.ends_with('=') && !matches!(name, "==" | "!=" | "===" | "<=" | ">=") {
                return args.last().cloned().unwrap_or_default();
            }
        }
        let known = self.engine.knowledge.carries.get(&call.name).copied();
        let placeholder_key = recv.and_then(|r| self.keyed(r, call, args));
        if let Some(value) = placeholder_key {
            return value;
        }
        let receiver_taints = recv.and_then(|r| r.deep_taints());
        let block_value = self.run_block(call, recv, None);
        match known {
            Some(Carries::Nothing) => Value::harmless(),
            Some(Carries::Same) => recv.cloned().unwrap_or_default(),
            Some(Carries::First) => args.first().cloned().unwrap_or_default(),
            Some(Carries::Element) => {
                let mut value = recv.map(Value::element).unwrap_or_default();
                if let (
                    Some(block),
                    "map" | "collect" | "flat_map" | "filter_map" | "inject" | "reduce" | "then"
                    | "yield_self" | "sum" | "each_with_object" | "with_index" | "tap" | "each_slice" | "zip",
                ) = (&block_value, name)
                {
                    value = match name {
                        "tap" => recv.cloned().unwrap_or_default(),
                        "then" | "yield_self" | "inject" | "reduce" | "sum" | "each_with_object" => {
                            let mut out = block.clone();
                            for arg in args {
                                join_taints(&mut out.taints, &arg.deep_taints());
                            }
                            out
                        }
                        _ => Value::shaped(Shape::Array(Rc::new(vec![block.clone()]))),
                    };
                } else if let (
                    None,
                    Some(Node { kind: Kind::Sym(method), .. }),
                    "map" | "collect" | "flat_map" | "filter_map",
                ) = (&block_value, &call.block_arg, name)
                {
                    value = self.symbol_block(&value, *method, call, span);
                } else if !matches!(
                    name,
                    "detect"
                        | "find"
                        | "first"
                        | "last"
                        | "sample"
                        | "min_by"
                        | "max_by"
                        | "max"
                        | "min"
                        | "fetch"
                        | "[]"
                        | "dig"
                        | "at"
                        | "pop"
                        | "shift"
                ) {
                    value = recv.cloned().unwrap_or_default();
                }
                value
            }
            Some(Carries::Receiver) => {
                let fixed = recv.is_none_or(Value::is_fixed);
                Value { shape: if fixed { Shape::Harmless } else { Shape::Unknown }, taints: receiver_taints }
            }
            Some(Carries::Arguments | Carries::Both) => {
                let mut taints = if known == Some(Carries::Both) { receiver_taints } else { None };
                let mut fixed = known != Some(Carries::Both) || recv.is_none_or(Value::is_fixed);
                for arg in args {
                    fixed &= arg.is_fixed();
                    join_taints(&mut taints, &arg.deep_taints());
                }
                if let Some(block) = &block_value {
                    join_taints(&mut taints, &block.taints);
                }
                Value {
                    shape: if fixed && taints.is_none() { Shape::Harmless } else { Shape::Unknown },
                    taints,
                }
            }
            None => {
                if name.ends_with('?')
                    || matches!(
                        name,
                        "==" | "!="
                            | "<"
                            | ">"
                            | "<="
                            | ">="
                            | "=~"
                            | "!~"
                            | "==="
                            | "<=>"
                            | "-"
                            | "/"
                            | "**"
                            | "!"
                    )
                {
                    return Value::harmless();
                }
                // Nothing is known: the receiver's data may well be in the result, the arguments'
                // less surely; a class of the application's own hands on nothing by itself.
                let doubt = Doubt { unknown_call: true, ..Doubt::default() };
                let mut taints = match recv {
                    Some(Value { shape: Shape::Class(_), .. }) | None => None,
                    Some(_) => receiver_taints,
                };
                // `Blob.find_by_key(params[:key])`: what is looked for is not what is found.
                let found = matches!(recv.map(|r| &r.shape), Some(Shape::Class(_) | Shape::Unknown))
                    && (name.starts_with("find_") || matches!(name, "where" | "friendly" | "locate"));
                let modelish = found
                    || matches!(recv.map(|r| &r.shape), Some(Shape::Object(class, _) | Shape::Class(class) | Shape::Relation(class)) if self.engine.app.index.class(*class).is_some());
                if !modelish {
                    for arg in args {
                        let more = map_taints(&arg.deep_taints(), |t| t.doubt = t.doubt.or(doubt));
                        join_taints(&mut taints, &more);
                    }
                }
                Value { shape: Shape::Unknown, taints }
            }
        }
    }

    /// `options[:key]` of a parameter: only that key's data comes along.
    fn keyed(&mut self, recv: &Value, call: &Call, args: &[Value]) -> Option<Value> {
        if !matches!(call.name.as_str(), "[]" | "fetch" | "delete" | "dig")
            || !matches!(recv.shape, Shape::Unknown)
        {
            return None;
        }
        let key = Name::from(args.first()?.as_text()?);
        let [Taint { origin: Origin::Param(index, None), .. }] = recv.each_taint() else { return None };
        let origin = Origin::Param(*index, Some(key));
        let mut taints: Taints = map_taints(&recv.taints, |t| t.origin = origin.clone());
        if call.name == "fetch"
            && let Some(default) = args.get(1)
        {
            join_taints(&mut taints, &default.taints);
        }
        Some(Value { shape: Shape::Unknown, taints })
    }

    /// `map(&:name)`
    fn symbol_block(&mut self, item: &Value, method: Name, call: &'a Call, span: Span) -> Value {
        let inner = match &item.shape {
            Shape::Object(class, _) => match self.engine.app.index.find(*class, method) {
                Some(id) => {
                    let summary = self.enter(Unit::Method(id), &[]);
                    let step = self.step(span, What::Passed(method, Name::from("")));
                    let binding = Binding { args: &[], ivars: &[], own: false, step };
                    binding.value(&summary.result, None)
                }
                None => self.stored(*class, method, span).unwrap_or_else(|| {
                    match self.engine.app.models.get(class).and_then(|m| m.associations.get(&method)) {
                        Some(association) => Value::object(association.class),
                        None => Value::default(),
                    }
                }),
            },
            _ => match self.engine.knowledge.carries.get(&method) {
                Some(Carries::Nothing) => Value::harmless(),
                _ if self
                    .engine
                    .knowledge
                    .sanitizers
                    .get(&method)
                    .is_some_and(|s| s.iter().any(|s| s.clears == Marks::ALL)) =>
                {
                    Value::harmless()
                }
                _ => item.clone(),
            },
        };
        let _ = call;
        Value::shaped(Shape::Array(Rc::new(vec![inner])))
    }

    /// Puts what a mutating call made back into the variable that it was called on.
    fn write_back(&mut self, call: &'a Call, value: Value) {
        match call.recv.as_ref().map(|r| &r.kind) {
            Some(Kind::Local(name)) => Env::set(&mut self.env.locals, *name, value),
            Some(Kind::Ivar(name)) => Env::set(&mut self.env.ivars, *name, value),
            // `a << b << c`
            Some(Kind::Call(inner)) if matches!(inner.name.as_str(), "<<" | "concat" | "push") => {
                self.write_back(inner, value)
            }
            _ => {}
        }
    }

    /// `hash[key] = value`
    fn store(&mut self, call: &'a Call, recv: &Value, args: &[Value]) {
        let [key, .., value] = args else { return };
        let mut stored = recv.clone();
        match &recv.shape {
            Shape::Hash(pairs) => {
                let mut pairs = pairs.to_vec();
                let key = key.as_text().map(Name::from);
                match pairs.iter_mut().find(|(k, _)| *k == key && key.is_some()) {
                    Some((_, old)) => *old = value.clone(),
                    None => pairs.push((key, value.clone())),
                }
                stored.shape = Shape::Hash(Rc::new(pairs));
            }
            Shape::Params(_) => {
                // `params[:sort] = "id"`: from here on the code's own.
                if let (Some(target), Some(key), true) = (&call.recv, key.as_text(), value.is_fixed())
                    && let Some(words) = self.expression_key(target)
                {
                    self.env.cleared.push((Name::from(&format!("{words}[{key}]")), Marks::ALL));
                }
                return;
            }
            _ => join_taints(&mut stored.taints, &value.deep_taints()),
        }
        self.write_back(call, stored);
    }

    /// `x.name = value`, `x[key] = value` as the target of a list or an op-assignment.
    pub fn attribute_write(&mut self, call: &'a Call, value: Value, _span: Span) {
        if call.name == "[]" {
            let Some(recv) = &call.recv else { return };
            let recv = self.eval(recv);
            let key = call.args.first().map(|a| self.eval(a)).unwrap_or_default();
            self.store(call, &recv, &[key, value]);
        }
    }

    /// Evaluates a call's block with what the callee hands it.
    fn run_block(&mut self, call: &'a Call, recv: Option<&Value>, yields: Option<&[Value]>) -> Option<Value> {
        let block = call.block.as_ref()?;
        if let Some(yields) = yields.filter(|y| !y.is_empty()) {
            return Some(self.block(block, yields));
        }
        let Some(recv) = recv else { return Some(self.block(block, &[])) };
        let item = match call.name.as_str() {
            "then" | "yield_self" | "tap" | "instance_eval" | "with_options" => recv.clone(),
            // The block of `File.open` gets a file, not the class.
            "open" => {
                if matches!(recv.shape, Shape::Class(_)) {
                    Value::default()
                } else {
                    recv.clone()
                }
            }
            "each_with_object" | "inject" | "reduce" => recv.element(),
            _ => recv.element(),
        };
        match (&recv.shape, call.name.as_str()) {
            (Shape::Hash(pairs), _) => {
                let keys =
                    if pairs.iter().all(|(k, _)| k.is_some()) { Value::harmless() } else { item.clone() };
                let values = [keys, item];
                let values = if call.name.starts_with("each_value")
                    || block.params.len() == 1 && call.name == "transform_values"
                {
                    &values[1..]
                } else {
                    &values[..]
                };
                Some(self.block(block, values))
            }
            (_, "inject" | "reduce") => Some(self.block(block, &[item.clone(), item])),
            // The code has named the keys.
            (
                Shape::Permitted,
                "each" | "each_pair" | "map" | "collect" | "select" | "reject" | "filter_map" | "flat_map"
                | "to_h" | "any?" | "all?" | "delete_if" | "find" | "detect",
            ) if block.params.len() == 2 => Some(self.block(block, &[Value::harmless(), item])),
            // A parameter: the keys are those of the hash that a caller hands over.
            (
                Shape::Unknown,
                "each" | "each_pair" | "map" | "collect" | "select" | "reject" | "filter_map" | "flat_map"
                | "to_h" | "any?" | "all?" | "delete_if" | "find" | "detect",
            ) if block.params.len() == 2 && block.params.iter().all(|p| p.inner.is_empty()) => {
                let mut keys = item.clone();
                keys.taints = map_taints(&keys.taints, |t| {
                    if let Origin::Param(index, None) = &t.origin {
                        t.origin = Origin::Param(*index, Some(Name::from(KEYS)));
                    }
                });
                Some(self.block(block, &[keys, item]))
            }
            (_, "each_with_index" | "each_with_object" | "map_with_index") => {
                Some(self.block(block, &[item, Value::harmless()]))
            }
            _ => Some(self.block(block, std::slice::from_ref(&item))),
        }
    }

    fn run_block_with(&mut self, call: &'a Call, values: &[Value]) -> Option<Value> {
        let block = call.block.as_ref()?;
        let values = if block.params.len() < values.len() { &values[..block.params.len()] } else { values };
        Some(self.block(block, values))
    }
}

/// In place of a key: the keys themselves of a hash that is a parameter.
pub const KEYS: &str = "\0keys";

/// What a parameter holds that the caller leaves out.
fn absent(param: &Param) -> Value {
    match &param.default {
        Some(_) => Value::harmless(),
        None => Value::default(),
    }
}
