//! Sources, sinks and sanitizers: where a call is one that the knowledge files tell of.

use wardroom_rails::Habitat;
use wardroom_ruby::ir::*;

use crate::engine::source;
use crate::eval::Eval;
use crate::knowledge::{Mark, Marks, Receiver, Sink, SourceKind};
use crate::value::{Origin, Shape, Taint, Taints, Value, join_taints, map_taints};

impl<'a> Eval<'_, 'a> {
    pub(crate) fn matches(&self, on: &[Receiver], call: &Call, recv: Option<&Value>) -> bool {
        let own = matches!(call.recv, None | Some(Node { kind: Kind::SelfRef, .. }))
            || super::framework::on_controller(call)
                && matches!(
                    call.name.as_str(),
                    "render"
                        | "redirect_to"
                        | "redirect_back"
                        | "send_file"
                        | "send_data"
                        | "render_to_string"
                );
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
                Some(Node { kind: Kind::Const(written), .. }) => ends_with(written, path),
                Some(Node { kind: Kind::SelfRef, .. }) | None => {
                    self.singleton && self.includes(self.class, *path)
                }
                Some(_) => match recv.map(|r| &r.shape) {
                    Some(Shape::Class(class)) => class == path || self.includes(*class, *path),
                    _ => false,
                },
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

    /// `include HTTParty`: the class has the library's methods.
    fn includes(&self, class: Name, library: Name) -> bool {
        library == "HTTParty" && self.engine.app.index.ancestors(class).iter().skip(1).any(|a| *a == library)
    }

    /// Notes data at the sinks that a call is. `resolved`: the application defines the method
    /// itself, so only entries on constants hold.
    pub(crate) fn sinks(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
        resolved: bool,
    ) {
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

    pub(crate) fn sink_arguments(
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
        if entry.mark == Mark::Command
            && let Some(code) = shell_code(args)
        {
            reached.push((Name::from("-c"), code.clone()));
        }
        for (argument, value) in reached {
            let value = match &value.shape {
                Shape::Array(items) if entry.array_first => items.first().cloned().unwrap_or_default(),
                Shape::Hash(_) | Shape::Permitted if entry.hash_safe => continue,
                _ => value,
            };
            // A string names a row; only a list or a hash of the request is read as conditions.
            if call.name == "exists?" && !matches!(value.shape, Shape::Params(_)) && argument == "0" {
                continue;
            }
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
            let taints = match &value.shape {
                _ if entry.mark != Mark::MassAssign => taints,
                Shape::Params(_) => taints,
                // A parameter handed on as it came: the caller may hand over the request's.
                Shape::Unknown => {
                    let whole: Vec<Taint> = taints
                        .iter()
                        .flat_map(|t| t.iter())
                        .filter(|t| matches!(t.origin, Origin::Param(_, None)) && t.path.is_empty())
                        .cloned()
                        .collect();
                    if whole.is_empty() { None } else { Some(whole.into()) }
                }
                _ => None,
            };
            let mut site = self.site(entry.mark, call.name, span);
            site.argument = argument;
            self.sink(&site, &taints);
        }
    }

    /// What a user's own knowledge file says of a method goes before the method's own code.
    pub(crate) fn told_by_user(
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
        self.sanitized(call, recv, args, span).or_else(|| self.sourced(call, recv, args, span))
    }

    /// A record, a list or a hash as the target of `render` and `redirect_to`: only a text names
    /// a template or a host.
    pub(crate) fn finds_its_own_place(&self, value: &Value) -> bool {
        match &value.shape {
            Shape::Object(class, _) => self.engine.app.index.class(*class).is_some(),
            Shape::Relation(_) | Shape::Array(_) | Shape::Hash(_) => true,
            Shape::AnyOf(shapes) => shapes.iter().all(|s| match s {
                Shape::Object(class, _) => self.engine.app.index.class(*class).is_some(),
                shape => matches!(shape, Shape::Relation(_)),
            }),
            _ => false,
        }
    }

    pub(crate) fn sanitized(
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
        // Before Rails 3 the helpers that make tags wrote their content as it was.
        if !self.engine.tags_escape
            && call.block.is_none()
            && let Some(content) = content_argument(&call.name).and_then(|at| args.get(at))
            && content.deep_taints().is_some()
        {
            return Some(Value { shape: Shape::Unknown, taints: content.deep_taints() });
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

    pub(crate) fn sourced(
        &mut self,
        call: &'a Call,
        recv: Option<&Value>,
        args: &[Value],
        span: Span,
    ) -> Option<Value> {
        let knowledge = self.engine.knowledge;
        let entry = knowledge.sources.get(&call.name)?.iter().find(|s| self.matches(&s.on, call, recv))?;
        let mut words = match &call.recv {
            Some(Node { kind: Kind::Const(path), .. }) => {
                format!("{}.{}", wardroom_rails::path_name(path), call.name)
            }
            _ => call.name.to_string(),
        };
        let open = |value: &Value| {
            value
                .deep_taints()
                .iter()
                .flat_map(|t| t.iter())
                .any(|t| !matches!(t.origin, Origin::Param(..)) && !t.cleared.has(Mark::Request))
        };
        if entry.kind == SourceKind::Remote && args.iter().take(1).chain(recv).any(open) {
            // Who is asked was not fixed by the code, so neither is who answers.
            words = format!("the answer to {words}");
        }
        Some(Value::tainted(Shape::Unknown, source(entry.kind, Name::from(words.as_str()), self.file, span)))
    }
}

/// Whether a constant as it is written names a class, within a module or not: `Gitlab::HTTP` for `HTTP`.
fn ends_with(written: &[Name], class: &str) -> bool {
    let mut parts = written.iter().rev();
    class.rsplit("::").all(|part| parts.next().is_some_and(|p| *p == part))
}

/// `system("sh", "-c", code)`: the shell reads what stands behind `-c`.
fn shell_code(args: &[Value]) -> Option<&Value> {
    let list = match args.iter().find(|a| !matches!(a.shape, Shape::Hash(_)))? {
        Value { shape: Shape::Array(items), .. } => items.as_slice(),
        _ => args,
    };
    list.windows(3).find_map(|w| {
        let program = w[0].as_text()?.rsplit('/').next()?;
        let option = w[1].as_text()?;
        let shell = matches!(program, "sh" | "bash" | "dash" | "zsh" | "ksh") && option.ends_with('c')
            || matches!(program, "cmd" | "cmd.exe") && option.eq_ignore_ascii_case("/c");
        (shell && option.starts_with(['-', '/'])).then_some(&w[2])
    })
}

/// Where the content stands that a helper puts between tags.
fn content_argument(helper: &str) -> Option<usize> {
    match helper {
        "link_to"
        | "link_to_if"
        | "link_to_unless"
        | "link_to_unless_current"
        | "link_to_remote"
        | "link_to_function"
        | "button_tag" => Some(usize::from(matches!(helper, "link_to_if" | "link_to_unless"))),
        "content_tag" | "label_tag" => Some(1),
        _ => None,
    }
}
