//! Running the engine over an application: every action with its filters and its template, every
//! other method, every template, every file's own code.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use wardroom_model::{Endpoint, Step as ModelStep};
use wardroom_rails::{App, FileId, Habitat, MethodId, Role, Timing};
use wardroom_ruby::ir::{HtmlContext, Name, Span};

use crate::engine::{Binding, Engine, RawFlow, Unit, source};
use crate::env::Env;
use crate::eval::Eval;
use crate::knowledge::{Knowledge, Mark, SourceKind};
use crate::path::{Step, What};
use crate::summary::{Hit, Site};
use crate::value::{Doubt, Shape, Value};

/// A source that reaches a sink.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The kind of sink.
    pub mark: Mark,
    /// The method called there, or `output` and `raw output` in a template, or `` ` ``.
    pub method: Name,
    /// Where in the page, for output.
    pub context: Option<HtmlContext>,
    /// Which argument: its position, its keyword, or `receiver`.
    pub argument: Name,
    /// Text in front of the data, where it is known.
    pub prefix: Option<Name>,
    /// Who wrote the data.
    pub source: SourceKind,
    /// The source in the code's words: `params[:q]`, `User#name`.
    pub words: Name,
    /// It went through a call of which nothing is known.
    pub unknown_call: bool,
    /// A predicate that may be a check stands in front.
    pub guarded: bool,
    /// The type of an object on the way was guessed from a name.
    pub guessed: bool,
    /// The sink's file.
    pub file: FileId,
    /// The sink's call.
    pub span: Span,
    /// Where the parameters were opened, past the list of permitted keys (`to_unsafe_h`, `permit!`).
    pub opened: Option<(FileId, Span)>,
    /// The steps from the source to the sink, both included.
    pub steps: Vec<FlowStep>,
    /// The method in which source and sink are joined.
    pub method_id: Option<MethodId>,
    /// The endpoints from which it can be reached.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct FlowStep {
    /// Its file.
    pub file: FileId,
    /// Its place.
    pub span: Span,
    /// What happens.
    pub note: String,
}

impl FlowStep {
    /// As a finding shows it.
    pub fn locate(&self, app: &App<'_>) -> ModelStep {
        ModelStep { location: app.file(self.file).location(self.span), note: self.note.clone() }
    }
}

/// A sink that a method's parameter reaches, without any caller being known to hand over an
/// outsider's data.
#[derive(Clone, Debug)]
pub struct Unresolved {
    /// The kind of sink.
    pub mark: Mark,
    /// The method called there.
    pub method: Name,
    /// Where in the page, for output.
    pub context: Option<HtmlContext>,
    /// Which argument.
    pub argument: Name,
    /// The sink's file.
    pub file: FileId,
    /// The sink's call.
    pub span: Span,
    /// The method whose parameter it is; `None` for a template's variable.
    pub owner: Option<MethodId>,
    /// The parameter's name.
    pub parameter: Name,
    /// Where the code lives.
    pub habitat: Habitat,
    /// Calls of the method that were resolved.
    pub calls: u32,
    /// Of these, those that hand over something that the code does not fix.
    pub open_calls: u32,
    /// It went through a call of which nothing is known.
    pub unknown_call: bool,
    /// A predicate that may be a check stands in front.
    pub guarded: bool,
    /// The steps from the parameter to the sink.
    pub steps: Vec<FlowStep>,
    /// The endpoints from which the method can be reached.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Flows {
    /// Sources that reach sinks.
    pub flows: Vec<Flow>,
    /// Parameters that reach sinks.
    pub unresolved: Vec<Unresolved>,
}

/// Evaluates the whole application.
pub fn analyse(app: &App<'_>, knowledge: &Knowledge) -> Flows {
    let mut engine = Engine::new(app, knowledge);
    let mut controllers: Vec<_> = app.controllers.values().collect();
    controllers.sort_by_key(|c| c.class);
    for controller in controllers {
        let mut actions: Vec<(Name, MethodId)> = controller.actions.iter().map(|(n, m)| (*n, *m)).collect();
        actions.sort();
        for (name, id) in actions {
            action(&mut engine, controller.class, name, id);
        }
    }
    callbacks(&mut engine);
    for number in 0..app.index.methods.len() {
        engine.summary(Unit::Method(MethodId(number as u32)));
    }
    for (number, file) in app.files.iter().enumerate() {
        let id = FileId(number as u32);
        match file.role {
            Role::Template { .. } => {
                engine.summary(Unit::Template(id));
            }
            Role::Ruby => {
                engine.summary(Unit::Body(id));
            }
            _ => {}
        }
    }
    finish(engine)
}

/// One action: its filters, itself, and the template that follows.
fn action(engine: &mut Engine<'_>, class: Name, name: Name, id: MethodId) {
    let app = engine.app;
    let unit = Unit::Method(id);
    let file = app.index.method(id).file;
    let span = app.index.method(id).name_span;
    let Some(controller) = app.controllers.get(&class) else { return };
    let mut ivars: Vec<(Name, Value)> = Vec::new();
    let mut hits: Vec<Hit> = Vec::new();
    for filter in controller.filters_for(name) {
        if filter.timing == Timing::After {
            continue;
        }
        let Some(filter_id) = filter.name.and_then(|n| app.index.find(class, n)) else { continue };
        let filter_unit = Unit::Method(filter_id);
        engine.callers.entry(filter_unit).or_default().insert(unit);
        engine.held_to(filter_unit, &[]);
        let summary = engine.summary(filter_unit);
        if !filter.conditional {
            engine.checked.entry(unit).or_default().extend(summary.checked.iter().copied());
        }
        let step = Step { file, span, what: What::Passed(Name::from("filter"), Name::from("")) };
        let known = ivars.clone();
        let binding = Binding { app, args: &[], ivars: &known, own: false, step };
        settle(engine, unit, &summary.hits, &binding, &mut hits);
        for (ivar, value) in &summary.ivars {
            Env::set(&mut ivars, *ivar, binding.value(value, None));
        }
    }
    engine.held_to(unit, &[]);
    let summary = engine.summary(unit);
    let step = Step { file, span, what: What::Passed(name, Name::from("")) };
    let known = ivars.clone();
    let binding = Binding { app, args: &[], ivars: &known, own: false, step };
    settle(engine, unit, &summary.hits, &binding, &mut hits);
    for (ivar, value) in &summary.ivars {
        Env::set(&mut ivars, *ivar, binding.value(value, None));
    }
    let mut templates: Vec<FileId> = app.views.get(&format!("{}/{name}", controller.path)).to_vec();
    if templates.is_empty() {
        // An inherited action finds the template of the class that defines it.
        let owner = app.index.method(id).owner;
        if let Some(owner) = app.controllers.get(&owner) {
            templates = app.views.get(&format!("{}/{name}", owner.path)).to_vec();
        }
    }
    let declared = app.index.macros(class).iter().rfind(|m| m.call.name == "layout").and_then(|m| {
        let name = wardroom_rails::literal_name(m.call.args.first()?)?;
        Some(format!("layouts/{name}"))
    });
    let usual = [format!("layouts/{}", controller.path), "layouts/application".to_owned()];
    let mut layouts = declared.iter().chain(&usual).map(|l| app.views.get(l));
    if let Some(found) = layouts.find(|l| !l.is_empty()) {
        templates.extend(found.iter().take(1));
    }
    for template in templates {
        let mut eval = Eval::new(engine, unit, file, class, false);
        eval.env.ivars = std::mem::take(&mut ivars);
        eval.render_template(template, &[], span);
        ivars = eval.env.ivars;
    }
}

/// Methods that a library calls with what a request holds, as a declaration says.
fn callbacks(engine: &mut Engine<'_>) {
    let app = engine.app;
    let knowledge = engine.knowledge;
    if knowledge.callbacks.is_empty() {
        return;
    }
    let mut named: BTreeSet<(MethodId, usize)> = BTreeSet::new();
    for (entry, callback) in knowledge.callbacks.iter().enumerate() {
        for class in app.index.classes.values() {
            if callback.listed {
                let lists =
                    callback.macros.iter().filter_map(|m| class.singletons.get(&Name::from(m.as_str())));
                for list in lists {
                    wardroom_ruby::walk::each(app.index.method(*list).body, &mut |node| {
                        if let Some(id) = wardroom_rails::literal_name(node)
                            .and_then(|n| app.index.find_singleton(class.name, n))
                        {
                            named.insert((id, entry));
                        }
                        true
                    });
                }
                continue;
            }
            for declared in class
                .macros
                .iter()
                .filter(|m| callback.macros.iter().any(|name| m.call.name == name.as_str()))
            {
                let call = declared.call;
                let mut names: Vec<Name> = callback
                    .positions
                    .iter()
                    .filter_map(|p| wardroom_rails::literal_name(call.args.get(*p)?))
                    .collect();
                if let Some(wardroom_ruby::ir::Node { kind: wardroom_ruby::ir::Kind::Hash(pairs), .. }) =
                    call.args.last()
                {
                    let pairs = pairs.iter().filter(|p| {
                        wardroom_rails::literal_name(&p.key)
                            .is_some_and(|k| callback.keywords.iter().any(|w| k == w.as_str()))
                    });
                    names.extend(pairs.filter_map(|p| wardroom_rails::literal_name(&p.value)));
                }
                for name in names {
                    // In the class itself, in the same file (a concern's class methods), or the only one.
                    let all = app.index.by_name.get(&name).map_or(&[][..], Vec::as_slice);
                    let found = app
                        .index
                        .find_singleton(class.name, name)
                        .or_else(|| {
                            all.iter().copied().find(|id| app.index.method(*id).file == declared.file)
                        })
                        .or(if let [only] = all { Some(*only) } else { None });
                    named.extend(found.map(|id| (id, entry)));
                }
            }
        }
    }
    for (id, entry) in named {
        let data = &knowledge.callbacks[entry].data;
        let method = app.index.method(id);
        let unit = Unit::Method(id);
        let args: Vec<Value> = method
            .params
            .iter()
            .enumerate()
            .map(|(i, param)| match data.is_empty() || data.contains(&i) {
                true => Value::tainted(
                    Shape::Unknown,
                    source(SourceKind::Params, param.name, method.file, param.span),
                ),
                false => Value::harmless(),
            })
            .collect();
        let summary = engine.summary(unit);
        let step = Step {
            file: method.file,
            span: method.name_span,
            what: What::Passed(method.name, Name::from("")),
        };
        let binding = Binding { app, args: &args, ivars: &[], own: false, step };
        settle(engine, unit, &summary.hits, &binding, &mut Vec::new());
        let given = binding.value(&summary.result, None);
        for key in knowledge.callbacks[entry].sql.iter().map(String::as_str) {
            let Some(value) = given.key(key) else { continue };
            // Of a list only the first member is SQL.
            let value = match &value.shape {
                Shape::Array(items) => items.first().cloned().unwrap_or_default(),
                _ => value.clone(),
            };
            for taint in value.deep_taints().iter().flat_map(|t| t.iter()) {
                let built = taint.path.steps().into_iter().rfind(|s| matches!(s.what, What::Built));
                let (file, span) = built.map_or((method.file, method.name_span), |s| (s.file, s.span));
                let site = Site {
                    mark: Mark::Sql,
                    method: method.name,
                    context: None,
                    argument: Name::from(key),
                    file,
                    span,
                    prefix: None,
                };
                engine.record(unit, Hit { site, taint: taint.clone() }, &mut Vec::new(), false);
            }
        }
    }
}

fn settle(engine: &mut Engine<'_>, unit: Unit, hits: &[Hit], binding: &Binding<'_>, into: &mut Vec<Hit>) {
    let mut taints = Vec::new();
    for hit in hits {
        taints.clear();
        binding.taints(&hit.taint, &mut taints);
        for taint in taints.drain(..) {
            engine.record(unit, Hit { site: hit.site, taint }, into, false);
        }
    }
}

fn finish(engine: Engine<'_>) -> Flows {
    let app = engine.app;
    let mut reach = Reach { app, callers: &engine.callers, known: FxHashMap::default() };
    let mut out = Flows::default();
    for raw in &engine.flows {
        let filtered = filtered(&engine, raw);
        if filtered == Some(true) {
            continue;
        }
        let Site { mark, method, context, argument, file, span, prefix } = raw.hit.site;
        let Doubt { unknown_call, guarded, guessed } = raw.hit.taint.doubt;
        let guarded = guarded || filtered.is_some();
        out.flows.push(Flow {
            mark,
            method,
            context,
            argument,
            prefix,
            source: raw.kind,
            words: raw.words,
            unknown_call,
            guarded,
            guessed,
            file,
            span,
            opened: (mark == Mark::MassAssign).then(|| opened(&raw.hit)).flatten(),
            steps: steps(&raw.hit),
            method_id: if let Unit::Method(id) = raw.unit { Some(id) } else { None },
            endpoints: reach.endpoints(raw.unit),
        });
    }
    out.flows.sort_by_key(|f| (f.file, f.span, f.mark, f.source, f.words));
    let resolved: FxHashSet<(FileId, Span, Mark)> =
        out.flows.iter().map(|f| (f.file, f.span, f.mark)).collect();
    let mut seen = FxHashSet::default();
    for open in &engine.open_hits {
        let hit = &open.hit;
        let Site { mark, method, context, argument, file, span, .. } = hit.site;
        if resolved.contains(&(file, span, mark)) || !seen.insert((file, span, mark)) {
            continue;
        }
        let (owner, parameter, habitat) = match open.unit {
            Unit::Method(id) => {
                let method = app.index.method(id);
                let name = method.params.get(open.param as usize).map(|p| p.name).unwrap_or_default();
                (Some(id), name, app.habitat(method.owner, method.file))
            }
            Unit::Template(file) => (
                None,
                engine.template_params(file).get(open.param as usize).copied().unwrap_or_default(),
                Habitat::View,
            ),
            Unit::Body(_) => continue,
        };
        let calls = engine.seen.get(&(open.unit, open.param)).copied().unwrap_or_default();
        let mut steps = steps(hit);
        if let Some(id) = owner {
            let method = app.index.method(id);
            if let Some(param) = method.params.get(open.param as usize) {
                steps.insert(
                    0,
                    FlowStep {
                        file: method.file,
                        span: param.span,
                        note: format!("`{parameter}` is given to `{}`", method.name),
                    },
                );
            }
        }
        out.unresolved.push(Unresolved {
            mark,
            method,
            context,
            argument,
            file,
            span,
            owner,
            parameter,
            habitat,
            calls: calls.calls,
            open_calls: calls.open,
            unknown_call: hit.taint.doubt.unknown_call,
            guarded: hit.taint.doubt.guarded,
            steps,
            endpoints: reach.endpoints(open.unit),
        });
    }
    out.unresolved.sort_by_key(|u| (u.file, u.span, u.mark));
    out
}

/// Whether a filter in front of the action in which source and sink are joined has held this very
/// parameter to a list; `Some(false)` where it did so for a part of it.
fn filtered(engine: &Engine<'_>, raw: &RawFlow) -> Option<bool> {
    if raw.kind != SourceKind::Params {
        return None;
    }
    let checked = engine.checked.get(&raw.unit).map_or(&[][..], Vec::as_slice);
    let held = engine.held.get(&raw.unit).map_or(&[][..], Vec::as_slice);
    if checked.is_empty() && held.is_empty() {
        return None;
    }
    let words = raw.words.replace("[:", "[");
    let mut about = checked
        .iter()
        .chain(held)
        .filter(|(key, marks)| marks.has(raw.hit.site.mark) && key.starts_with(&words))
        .peekable();
    about.peek()?;
    Some(about.any(|(key, _)| *key == words))
}

/// Where the parameters on the way to a hit were opened, past the list of permitted keys.
fn opened(hit: &Hit) -> Option<(FileId, Span)> {
    let at = hit.taint.path.steps().into_iter().rfind(|s| matches!(s.what, What::Opened(_)))?;
    Some((at.file, at.span))
}

/// The path of a hit, with the sink as its last step.
fn steps(hit: &Hit) -> Vec<FlowStep> {
    let mut out: Vec<FlowStep> = hit
        .taint
        .path
        .steps()
        .into_iter()
        .map(|step| {
            let note = match step.what {
                What::Source(words) => format!("`{words}` comes in"),
                What::Assigned(name) => format!("assigned to `{name}`"),
                What::Passed(method, _) => format!("passed to `{method}`"),
                What::Returned(method) => format!("handed back by `{method}`"),
                What::Rendered(template) => format!("handed to {template}"),
                What::Built => "built into a string".to_owned(),
                What::Opened(method) => format!("opened by `{method}`: every key passes"),
            };
            FlowStep { file: step.file, span: step.span, note }
        })
        .collect();
    let site = hit.site;
    let note = match site.method.as_str() {
        "output" | "raw output" => "written to the page".to_owned(),
        "`" => "run as a command".to_owned(),
        "//" => "made a pattern".to_owned(),
        method => format!("reaches `{method}`"),
    };
    if out.last().is_none_or(|last| last.span != site.span || last.file != site.file) {
        out.push(FlowStep { file: site.file, span: site.span, note });
    } else if let Some(last) = out.last_mut().filter(|_| hit.taint.path.steps().len() > 1) {
        last.note = note;
    }
    out
}

/// From which endpoints a unit can be reached, by the calls that were followed.
struct Reach<'e, 'a> {
    app: &'e App<'a>,
    callers: &'e FxHashMap<Unit, FxHashSet<Unit>>,
    known: FxHashMap<Unit, Vec<Arc<Endpoint>>>,
}

impl Reach<'_, '_> {
    fn endpoints(&mut self, unit: Unit) -> Vec<Arc<Endpoint>> {
        if let Some(known) = self.known.get(&unit) {
            return known.clone();
        }
        let mut seen = FxHashSet::from_iter([unit]);
        let mut queue = vec![unit];
        let mut found: Vec<Arc<Endpoint>> = Vec::new();
        while let Some(at) = queue.pop() {
            if let Unit::Method(id) = at {
                for endpoint in self.app.endpoints_of.get(&id).into_iter().flatten() {
                    if !found.iter().any(|f| Arc::ptr_eq(f, endpoint)) {
                        found.push(Arc::clone(endpoint));
                    }
                }
            }
            for caller in self.callers.get(&at).into_iter().flatten() {
                if seen.len() < 4000 && seen.insert(*caller) {
                    queue.push(*caller);
                }
            }
        }
        found.sort_by(|a, b| (&a.path, a.verb, &a.handler).cmp(&(&b.path, b.verb, &b.handler)));
        // A layout or base filter is reached from everywhere: a few say as much as all.
        found.truncate(50);
        self.known.insert(unit, found.clone());
        found
    }
}
