//! The engine: summaries of methods and templates, made once each, on demand.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use wardroom_rails::{App, FileId, Habitat, MethodId};
use wardroom_ruby::ir::{Block, Name, Node, Span};

use crate::eval::Eval;
use crate::knowledge::{Knowledge, Mark, Marks, SourceKind};
use crate::path::{Path, Step, What};
use crate::record::stored;
use crate::summary::{Hit, Site, Summary};
use crate::value::{Doubt, KEYS, Origin, Shape, Taint, Value, map_taints};

/// Nested calls beyond this are not followed.
const MAX_CALL_DEPTH: u32 = 48;
/// Most sinks that one summary passes on to its callers.
const MAX_HITS: usize = 160;

/// A piece of code that is evaluated as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// A method.
    Method(MethodId),
    /// A template.
    Template(FileId),
    /// What stands in a file outside of methods.
    Body(FileId),
}

/// A sink that a parameter reaches, in the method that has it.
#[derive(Clone, Debug)]
pub struct OpenHit {
    pub unit: Unit,
    pub param: u16,
    pub hit: Hit,
}

/// What callers hand to a parameter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Calls that were resolved.
    pub calls: u32,
    /// Of these, those that hand over something that is not fixed by the code.
    pub open: u32,
}

/// A source that reaches a sink.
#[derive(Clone, Debug)]
pub struct RawFlow {
    pub unit: Unit,
    pub kind: SourceKind,
    pub words: Name,
    pub hit: Hit,
}

/// A lambda, and where it was made.
#[derive(Clone, Copy)]
pub struct Lambda<'a> {
    pub unit: Unit,
    pub file: FileId,
    pub block: &'a Block,
}

pub struct Engine<'a> {
    pub app: &'a App<'a>,
    pub knowledge: &'a Knowledge,
    /// `to_json` escapes what would end a script.
    pub escapes_json: bool,
    /// Whether helpers that make tags escape what stands between them (not before Rails 3).
    pub tags_escape: bool,
    summaries: FxHashMap<Unit, Option<Rc<Summary>>>,
    template_params: FxHashMap<FileId, Vec<Name>>,
    pub flows: Vec<RawFlow>,
    seen_flows: FxHashSet<(FileId, Span, Mark, Name)>,
    pub open_hits: Vec<OpenHit>,
    pub seen: FxHashMap<(Unit, u16), Seen>,
    pub callers: FxHashMap<Unit, FxHashSet<Unit>>,
    /// What the filters in front of an action let through only when it is harmless.
    pub checked: FxHashMap<Unit, Vec<(Name, Marks)>>,
    /// What every caller of a method has made harmless in front of the call.
    pub held: FxHashMap<Unit, Vec<(Name, Marks)>>,
    constants: FxHashMap<usize, Value>,
    /// Every lambda, by the number that its shape has.
    pub lambdas: Vec<Lambda<'a>>,
    depth: u32,
}

impl<'a> Engine<'a> {
    pub fn new(app: &'a App<'a>, knowledge: &'a Knowledge) -> Self {
        Engine {
            app,
            knowledge,
            escapes_json: app.rails() >= (4, 0)
                && app.config.flag("active_support.escape_html_entities_in_json") != Some(false),
            tags_escape: app.rails() >= (3, 0) || app.gems.has("rails_xss"),
            summaries: FxHashMap::default(),
            template_params: FxHashMap::default(),
            flows: Vec::new(),
            seen_flows: FxHashSet::default(),
            open_hits: Vec::new(),
            seen: FxHashMap::default(),
            callers: FxHashMap::default(),
            checked: FxHashMap::default(),
            held: FxHashMap::default(),
            constants: FxHashMap::default(),
            lambdas: Vec::new(),
            depth: 0,
        }
    }

    /// The summary of a unit; an empty one while it is being made (recursion) and beyond the depth.
    pub fn summary(&mut self, unit: Unit) -> Rc<Summary> {
        match self.summaries.get(&unit) {
            Some(Some(done)) => return Rc::clone(done),
            Some(None) => return Rc::default(),
            None => {}
        }
        if self.depth >= MAX_CALL_DEPTH {
            return Rc::default();
        }
        self.depth += 1;
        self.summaries.insert(unit, None);
        let (summary, params) = self.evaluate(unit);
        let summary = Rc::new(summary);
        if let Unit::Template(file) = unit {
            self.template_params.insert(file, params);
        }
        self.summaries.insert(unit, Some(Rc::clone(&summary)));
        self.depth -= 1;
        summary
    }

    /// Notes what is harmless where a method is called; what is not so at every call does not count.
    pub fn held_to(&mut self, unit: Unit, cleared: &[(Name, Marks)]) {
        match self.held.get_mut(&unit) {
            Some(held) if held.is_empty() => {}
            Some(held) => held.retain(|c| cleared.contains(c)),
            None => {
                self.held.insert(unit, cleared.to_vec());
            }
        }
    }

    /// The variables that a template reads without setting them, in the order of their placeholders.
    pub fn template_params(&self, file: FileId) -> Vec<Name> {
        self.template_params.get(&file).cloned().unwrap_or_default()
    }

    fn evaluate(&mut self, unit: Unit) -> (Summary, Vec<Name>) {
        let app = self.app;
        match unit {
            Unit::Method(id) => {
                let method = app.index.method(id);
                let mut eval = Eval::new(self, unit, method.file, method.owner, method.singleton);
                eval.bind_params(method.params);
                eval.run(method.body)
            }
            Unit::Template(file) => {
                let owner = app.component_of(file).unwrap_or_default();
                let mut eval = Eval::new(self, unit, file, owner, false);
                eval.habitat = Habitat::View;
                eval.run(&app.file(file).parsed.body)
            }
            Unit::Body(file) => {
                let eval = Eval::new(self, unit, file, Name::from(""), true);
                eval.run(&app.file(file).parsed.body)
            }
        }
    }

    /// The value of a constant's right side.
    pub fn constant(&mut self, node: &'a Node, file: FileId, nesting: Name) -> Value {
        let key = std::ptr::from_ref(node) as usize;
        if let Some(known) = self.constants.get(&key) {
            return known.clone();
        }
        self.constants.insert(key, Value::default());
        if self.depth >= MAX_CALL_DEPTH {
            return Value::default();
        }
        self.depth += 1;
        let mut value = Eval::new(self, Unit::Body(file), file, nesting, true).constant_value(node);
        self.depth -= 1;
        // What a constant holds was written by the application, wherever it got it from.
        value.taints = None;
        if matches!(value.shape, Shape::Unknown) {
            value.shape = Shape::Harmless;
        }
        self.constants.insert(key, value.clone());
        value
    }

    /// Notes that a sink was reached: as a flow where the source is known, otherwise for the summary.
    pub fn record(&mut self, unit: Unit, hit: Hit, into: &mut Vec<Hit>, fresh: bool) {
        let Site { mark, file, span, .. } = hit.site;
        if hit.taint.cleared.has(mark) {
            return;
        }
        match hit.taint.origin.clone() {
            Origin::Source(kind, words) => {
                if self.seen_flows.insert((file, span, mark, words)) {
                    self.flows.push(RawFlow { unit, kind, words, hit });
                }
            }
            origin => {
                if let (true, Origin::Param(param, _)) = (fresh && mark != Mark::MassAssign, &origin) {
                    self.open_hits.push(OpenHit { unit, param: *param, hit: hit.clone() });
                }
                let known = into.iter().any(|h| {
                    (h.site.span, h.site.file, h.site.mark) == (span, file, mark) && h.taint.origin == origin
                });
                if !known && into.len() < MAX_HITS {
                    into.push(hit);
                }
            }
        }
    }
}

/// Fills the placeholders of a summary with what the caller hands over.
pub struct Binding<'b> {
    /// What the application's records hold.
    pub app: &'b App<'b>,
    /// Values of the callee's parameters.
    pub args: &'b [Value],
    /// Instance variables of the callee's object, as far as the caller knows them.
    pub ivars: &'b [(Name, Value)],
    /// The callee runs on the caller's own object: unknown instance variables stay placeholders.
    pub own: bool,
    /// The step that leads into the callee.
    pub step: Step,
}

impl Binding<'_> {
    /// What a placeholder's taint becomes.
    pub fn taints(&self, taint: &Taint, out: &mut Vec<Taint>) {
        let mut picked = Vec::new();
        match &taint.origin {
            Origin::Source(..) => {
                out.push(taint.clone());
                return;
            }
            Origin::Param(index, key) => {
                let Some(arg) = self.args.get(*index as usize) else { return };
                self.pick(arg, key.as_deref(), &mut picked);
            }
            Origin::Ivar(name, key) => match self.ivars.iter().find(|(n, _)| n == name) {
                Some((_, value)) => self.pick(value, key.as_deref(), &mut picked),
                None if self.own => {
                    out.push(taint.clone());
                    return;
                }
                None => return,
            },
        }
        for from in picked {
            let step = match &taint.origin {
                Origin::Param(..) => from.path.then(self.step),
                _ => from.path.clone(),
            };
            out.push(Taint {
                origin: from.origin,
                cleared: from.cleared | taint.cleared,
                doubt: from.doubt.or(taint.doubt),
                path: step.and(&taint.path),
            });
        }
    }

    /// What a read from a placeholder gives, once it is known what stands in its place.
    fn pick(&self, value: &Value, key: Option<&str>, out: &mut Vec<Taint>) {
        let all = |out: &mut Vec<Taint>| {
            out.extend(value.deep_taints().iter().flat_map(|t| t.iter()).map(|taint| Taint {
                // Of a placeholder that was itself handed on, the same is read.
                origin: key.map_or_else(|| taint.origin.clone(), |k| taint.origin.read(k)),
                ..taint.clone()
            }));
        };
        let own = |out: &mut Vec<Taint>| {
            out.extend(value.each_taint().iter().map(|t| Taint {
                origin: key.map_or_else(|| t.origin.clone(), |k| t.origin.read(k)),
                ..t.clone()
            }));
        };
        let Some(whole) = key else {
            // Which member of a list of arguments it is, is not known.
            let start = out.len();
            all(out);
            if let Shape::Array(items) = &value.shape
                && items.len() > 1
                && items.iter().any(|i| i.taints.is_none())
            {
                out[start..].iter_mut().for_each(|t| t.doubt.guessed = true);
            }
            return;
        };
        if whole == KEYS {
            match &value.shape {
                Shape::Permitted => {}
                Shape::Hash(pairs)
                    if pairs.iter().all(|(k, v)| k.is_some() || matches!(v.shape, Shape::Permitted)) => {}
                Shape::Hash(pairs) => {
                    own(out);
                    if let Some((_, others)) = pairs.iter().find(|(k, _)| k.is_none()) {
                        out.extend(others.deep_taints().iter().flat_map(|t| t.iter()).cloned());
                    }
                }
                _ => all(out),
            }
            return;
        }
        if let Some(attribute) = whole.strip_prefix('.') {
            match &value.shape {
                Shape::Object(..) | Shape::Relation(_) | Shape::AnyOf(_) => {
                    own(out);
                    for shape in value.shape.each() {
                        self.attribute(shape, attribute, out);
                    }
                }
                Shape::Array(items) if !items.is_empty() => {
                    own(out);
                    items.iter().for_each(|item| self.pick(item, key, out));
                }
                _ => all(out),
            }
            return;
        }
        let (first, rest) = match whole.find('.').filter(|at| *at > 0) {
            Some(at) => (&whole[..at], Some(&whole[at..])),
            None => (whole, None),
        };
        match &value.shape {
            Shape::Hash(pairs) => {
                own(out);
                if let Some((_, value)) = pairs.iter().find(|(k, _)| k.is_some_and(|k| k == first)) {
                    self.pick(value, rest, out);
                } else if let Some((_, others)) = pairs.iter().find(|(k, _)| k.is_none()) {
                    let start = out.len();
                    self.pick(others, None, out);
                    out[start..].iter_mut().for_each(|t| t.origin = t.origin.read(whole));
                }
            }
            Shape::Array(items) => match first.parse::<usize>() {
                Ok(at) => {
                    own(out);
                    if let Some(item) = items.get(at) {
                        self.pick(item, rest, out);
                    }
                }
                // A keyword behind the rest of the arguments.
                Err(_) => match items.last() {
                    Some(last @ Value { shape: Shape::Hash(_), .. }) => self.pick(last, key, out),
                    _ => all(out),
                },
            },
            _ => all(out),
        }
    }

    /// What an object holds under `owner.url`.
    fn attribute(&self, shape: &Shape, reads: &str, out: &mut Vec<Taint>) {
        let (first, rest) = reads.split_once('.').map_or((reads, None), |(a, b)| (a, Some(b)));
        let name = Name::from(first);
        let (Shape::Object(class, _) | Shape::Relation(class)) = shape else { return };
        if let Some(model) = self.app.models.get(class) {
            if let Some(association) = model.associations.get(&name) {
                if let Some(rest) = rest {
                    self.attribute(&Shape::Object(association.class, None), rest, out);
                }
            } else if self.app.index.find(*class, name).is_none()
                && let Some(value) = stored(self.app, *class, name, self.step.file, self.step.span)
            {
                out.extend(value.each_taint().iter().cloned());
            }
            return;
        }
        if let Shape::Object(_, Some(ivars)) = shape
            && self.app.index.has_attribute(*class, name)
            && let Some((_, value)) = ivars.iter().find(|(n, _)| n.strip_prefix('@') == Some(first))
        {
            let rest = rest.map(|r| format!(".{r}"));
            self.pick(value, rest.as_deref(), out);
        }
    }

    /// What stands in a placeholder's place, where it was only named and is an object.
    fn same(&self, value: &Value) -> Option<&Value> {
        let ([taint], Shape::Unknown) = (value.each_taint(), &value.shape) else { return None };
        let given = match &taint.origin {
            Origin::Param(index, None) => self.args.get(usize::from(*index))?,
            Origin::Ivar(name, None) => &self.ivars.iter().find(|(n, _)| n == name)?.1,
            _ => return None,
        };
        let object = matches!(
            given.shape,
            Shape::Object(..)
                | Shape::Relation(_)
                | Shape::AnyOf(_)
                | Shape::Class(_)
                | Shape::Lambda(_)
                | Shape::Hash(_)
        );
        (object && taint.cleared == Marks::NONE && taint.path.only_named()).then_some(given)
    }

    /// A value of the callee, in the caller's terms.
    pub fn value(&self, value: &Value, returned: Option<Step>) -> Value {
        if let Some(given) = self.same(value) {
            let step = |t: &mut Taint| t.path = returned.map_or_else(|| t.path.clone(), |s| t.path.then(s));
            return Value { shape: given.shape.clone(), taints: map_taints(&given.taints, step) };
        }
        let mut taints = Vec::new();
        for taint in value.each_taint() {
            self.taints(taint, &mut taints);
        }
        if let Some(step) = returned {
            for taint in &mut taints {
                taint.path = taint.path.then(step);
            }
        }
        let shape = self.shape(&value.shape, returned);
        taints.truncate(8);
        Value { shape, taints: if taints.is_empty() { None } else { Some(taints.into()) } }
    }

    fn shape(&self, shape: &Shape, returned: Option<Step>) -> Shape {
        match shape {
            Shape::Hash(pairs) => {
                Shape::Hash(Rc::new(pairs.iter().map(|(k, v)| (*k, self.value(v, returned))).collect()))
            }
            Shape::Array(items) => {
                Shape::Array(Rc::new(items.iter().map(|v| self.value(v, returned)).collect()))
            }
            Shape::Object(class, Some(ivars)) => {
                let ivars = ivars.iter().map(|(n, v)| (*n, self.value(v, returned))).collect();
                Shape::Object(*class, Some(Rc::new(ivars)))
            }
            Shape::AnyOf(shapes) => Shape::AnyOf(shapes.iter().map(|s| self.shape(s, returned)).collect()),
            shape => shape.clone(),
        }
    }
}

/// A taint that begins here.
pub fn source(kind: SourceKind, words: Name, file: FileId, span: Span) -> Taint {
    let path = Path::default().then(Step { file, span, what: What::Source(words) });
    Taint { origin: Origin::Source(kind, words), cleared: Marks::NONE, doubt: Doubt::default(), path }
}
