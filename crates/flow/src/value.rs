//! What an expression may be: its shape as far as it is known, and the taint that it carries.

use std::rc::Rc;

use wardroom_ruby::ir::Name;

use crate::knowledge::{Marks, SourceKind};
use crate::path::Path;

/// Most origins that one value carries; further ones add nothing a person would read.
const MAX_TAINTS: usize = 6;

/// In place of a key: the keys themselves of a hash that is a parameter.
pub const KEYS: &str = "\0keys";

/// An abstract value.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// What it is.
    pub shape: Shape,
    /// What it carries.
    pub taints: Taints,
}

/// The taint of a value; most have none.
pub type Taints = Option<Rc<[Taint]>>;

/// One origin whose data is in a value.
#[derive(Clone, Debug)]
pub struct Taint {
    /// Where it comes from.
    pub origin: Origin,
    /// Sinks for which it has been made harmless.
    pub cleared: Marks,
    /// It went through a call that nothing is known about, or a check whose worth is unknown.
    pub doubt: Doubt,
    /// How it came here.
    pub path: Path,
}

/// What makes a taint less sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubt {
    /// Through a call that nothing is known about.
    pub unknown_call: bool,
    /// Behind a predicate that may be a check.
    pub guarded: bool,
    /// The type of the object was guessed from a name.
    pub guessed: bool,
}

impl Doubt {
    /// Both together.
    pub fn or(self, other: Doubt) -> Doubt {
        Doubt {
            unknown_call: self.unknown_call || other.unknown_call,
            guarded: self.guarded || other.guarded,
            guessed: self.guessed || other.guessed,
        }
    }
}

/// Where a taint comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From outside: the kind, and the words of the code (`params[:q]`, `User#name`).
    Source(SourceKind, Name),
    /// The method's own parameter, by position, and the key read from it: filled in where it is called.
    Param(u16, Option<Name>),
    /// An instance variable that the method did not set, and what is read from it: filled in where its
    /// object is known.
    Ivar(Name, Option<Name>),
}

/// Reads that are kept one after the other: `thing.owner.url`.
const MAX_READS: usize = 3;

impl Origin {
    /// What is read from a placeholder: a key as it stands, an attribute behind a point (`.url`).
    #[must_use]
    pub fn read(&self, what: &str) -> Origin {
        let further = |key: &Option<Name>| match key {
            None => Some(Name::from(what)),
            Some(key) if *key == KEYS => Some(*key),
            Some(key) if what.starts_with('.') && key.matches('.').count() < MAX_READS => {
                Some(Name::from(&format!("{key}{what}")))
            }
            Some(key) => Some(*key),
        };
        match self {
            Origin::Source(..) => self.clone(),
            Origin::Param(index, key) => Origin::Param(*index, further(key)),
            Origin::Ivar(name, key) => Origin::Ivar(*name, further(key)),
        }
    }
}

/// What a value is.
#[derive(Clone, Debug, Default)]
pub enum Shape {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A string, symbol or number written in the code.
    Text(Rc<str>),
    /// Written by the application or the framework, never by a user: numbers, booleans, dates, nil,
    /// translations, paths made by route helpers.
    Harmless,
    /// A class or module.
    Class(Name),
    /// An object of a class, with what is known of its instance variables.
    Object(Name, Option<Rc<Vec<(Name, Value)>>>),
    /// Many records of a model.
    Relation(Name),
    /// The request's parameters, or a part of them: the words that lead there.
    Params(Name),
    /// Parameters of which the code has named the keys that it takes.
    Permitted,
    /// The request, its headers, cookies, session …: what `[]` and methods give is looked up.
    Special(Special),
    /// A hash with the keys that are known; the value under `None` is that of all others.
    Hash(Rc<Vec<(Option<Name>, Value)>>),
    /// An array, and what is in it.
    Array(Rc<Vec<Value>>),
    /// Markup that is already marked `html_safe`.
    Markup,
    /// A pattern that the code holds.
    Pattern(Rc<str>),
    /// A lambda of the engine's list.
    Lambda(u32),
    /// One of a few classes, objects, lists of records or lambdas: a call goes to each.
    AnyOf(Rc<[Shape]>),
}

/// Most shapes that one value may have.
const MAX_SHAPES: usize = 4;

/// Objects of the framework that hand out what a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `request`
    Request,
    /// `request.headers`, `request.env`
    Headers,
    /// `cookies`
    Cookies,
    /// `cookies.signed`, `cookies.encrypted`, `session`
    Sealed,
    /// `flash`
    Flash,
}

impl Value {
    /// A value of a shape, without taint.
    pub fn shaped(shape: Shape) -> Self {
        Value { shape, taints: None }
    }

    /// Something harmless.
    pub fn harmless() -> Self {
        Value::shaped(Shape::Harmless)
    }

    /// Something known from the code.
    pub fn text(text: &str) -> Self {
        Value::shaped(Shape::Text(text.into()))
    }

    /// An object of a class.
    pub fn object(class: Name) -> Self {
        Value::shaped(Shape::Object(class, None))
    }

    /// A value that carries one taint.
    pub fn tainted(shape: Shape, taint: Taint) -> Self {
        Value { shape, taints: Some(Rc::from([taint])) }
    }

    /// Its taints.
    pub fn each_taint(&self) -> &[Taint] {
        self.taints.as_deref().unwrap_or_default()
    }

    /// Every taint in it, also in what it holds.
    pub fn deep_taints(&self) -> Taints {
        let mut out = self.taints.clone();
        match &self.shape {
            Shape::Hash(pairs) => pairs.iter().for_each(|(_, v)| join_taints(&mut out, &v.deep_taints())),
            Shape::Array(items) => items.iter().for_each(|v| join_taints(&mut out, &v.deep_taints())),
            _ => {}
        }
        out
    }

    /// Whether a user cannot have written it: it is known or made by the application.
    pub fn is_fixed(&self) -> bool {
        self.taints.is_none()
            && match &self.shape {
                Shape::Text(_) | Shape::Harmless | Shape::Class(_) | Shape::Markup | Shape::Pattern(_) => {
                    true
                }
                Shape::Array(items) => items.iter().all(Value::is_fixed),
                Shape::Hash(pairs) => pairs.iter().all(|(_, v)| v.is_fixed()),
                Shape::AnyOf(shapes) => shapes.iter().all(|s| matches!(s, Shape::Class(_))),
                _ => false,
            }
    }

    /// The text, where it is known.
    pub fn as_text(&self) -> Option<&str> {
        if let Shape::Text(text) = &self.shape { Some(text) } else { None }
    }

    /// The same value, harmless for these sinks.
    #[must_use]
    pub fn cleared(mut self, marks: Marks) -> Self {
        self.taints = map_taints(&self.taints, |t| t.cleared |= marks);
        self
    }

    /// The same value, one step further on its path.
    #[must_use]
    pub fn doubted(mut self, doubt: Doubt) -> Self {
        if doubt != Doubt::default() {
            self.taints = map_taints(&self.taints, |t| t.doubt = t.doubt.or(doubt));
        }
        self
    }

    /// What a hash holds under a key.
    pub fn key(&self, key: &str) -> Option<&Value> {
        let Shape::Hash(pairs) = &self.shape else { return None };
        pairs.iter().find(|(k, _)| k.is_some_and(|k| k == key)).map(|(_, v)| v)
    }

    /// What is in a collection, all members joined.
    pub fn element(&self) -> Value {
        match &self.shape {
            Shape::Array(items) => {
                let mut out = Value { shape: Shape::Unknown, taints: self.taints.clone() };
                let mut first = true;
                for item in items.iter() {
                    out = if first {
                        Value { taints: joined(&out.taints, &item.taints), shape: item.shape.clone() }
                    } else {
                        out.join(item)
                    };
                    first = false;
                }
                out
            }
            Shape::Relation(model) => {
                Value { shape: Shape::Object(*model, None), taints: self.taints.clone() }
            }
            Shape::Hash(pairs) => {
                let mut out = Value { shape: Shape::Unknown, taints: self.taints.clone() };
                for (_, value) in pairs.iter() {
                    out.taints = joined(&out.taints, &value.deep_taints());
                }
                out
            }
            Shape::Params(_) => self.clone(),
            Shape::Harmless => Value::harmless(),
            Shape::AnyOf(shapes) => {
                let one = |s: &Shape| Value { shape: s.clone(), taints: self.taints.clone() }.element();
                shapes.iter().map(one).reduce(|a, b| a.join(&b)).unwrap_or_default()
            }
            _ => Value { shape: Shape::Unknown, taints: self.taints.clone() },
        }
    }

    /// One or the other.
    #[must_use]
    pub fn join(&self, other: &Value) -> Value {
        Value { shape: self.shape.join(&other.shape), taints: joined(&self.taints, &other.taints) }
    }
}

impl Shape {
    fn join(&self, other: &Shape) -> Shape {
        match (self, other) {
            (Shape::Text(a), Shape::Text(b)) if a == b => self.clone(),
            (Shape::Text(_) | Shape::Harmless, Shape::Text(_) | Shape::Harmless) => Shape::Harmless,
            (Shape::Class(a), Shape::Class(b)) if a == b => self.clone(),
            (Shape::Lambda(a), Shape::Lambda(b)) if a == b => self.clone(),
            (Shape::Relation(a), Shape::Relation(b)) if a == b => self.clone(),
            (Shape::Object(a, x), Shape::Object(b, y)) if a == b => {
                Shape::Object(*a, if x.is_some() { x.clone() } else { y.clone() })
            }
            // `permitted || {}`
            (Shape::Params(_) | Shape::Permitted, Shape::Hash(pairs)) if pairs.is_empty() => self.clone(),
            (Shape::Hash(pairs), Shape::Params(_) | Shape::Permitted) if pairs.is_empty() => other.clone(),
            (Shape::Params(_), Shape::Params(_))
            | (Shape::Permitted, Shape::Permitted)
            | (Shape::Markup, Shape::Markup) => self.clone(),
            (Shape::Array(a), Shape::Array(b)) if a.len() == b.len() => {
                Shape::Array(Rc::new(a.iter().zip(b.iter()).map(|(x, y)| x.join(y)).collect()))
            }
            (Shape::Array(a), Shape::Array(b)) => {
                Shape::Array(Rc::new(a.iter().chain(b.iter()).take(12).cloned().collect()))
            }
            (Shape::Hash(a), Shape::Hash(b)) => {
                let mut pairs: Vec<(Option<Name>, Value)> = a.to_vec();
                for (key, value) in b.iter() {
                    match pairs.iter_mut().find(|(k, _)| k == key) {
                        Some((_, mine)) => *mine = mine.join(value),
                        None => pairs.push((*key, value.clone())),
                    }
                }
                Shape::Hash(Rc::new(pairs))
            }
            // `nil` or a value: the value is what matters.
            (Shape::Harmless, shape) | (shape, Shape::Harmless) => match shape {
                Shape::Unknown => Shape::Unknown,
                _ => shape.clone(),
            },
            // A known object in one branch tells more than nothing in the other.
            (Shape::Object(..) | Shape::Relation(_) | Shape::AnyOf(_), Shape::Unknown) => self.clone(),
            (Shape::Unknown, Shape::Object(..) | Shape::Relation(_) | Shape::AnyOf(_)) => other.clone(),
            _ if self.answers() && other.answers() => self.either(other),
            _ => Shape::Unknown,
        }
    }

    /// Whether it is known what answers a call.
    fn answers(&self) -> bool {
        matches!(
            self,
            Shape::Class(_) | Shape::Object(..) | Shape::Relation(_) | Shape::Lambda(_) | Shape::AnyOf(_)
        )
    }

    /// The shapes that it may be.
    pub fn each(&self) -> &[Shape] {
        match self {
            Shape::AnyOf(shapes) => shapes,
            shape => std::slice::from_ref(shape),
        }
    }

    fn either(&self, other: &Shape) -> Shape {
        let mut all = self.each().to_vec();
        for shape in other.each() {
            let same = all.iter_mut().find(|s| match (s, shape) {
                (Shape::Class(a), Shape::Class(b))
                | (Shape::Object(a, _), Shape::Object(b, _))
                | (Shape::Relation(a), Shape::Relation(b)) => a == b,
                (Shape::Lambda(a), Shape::Lambda(b)) => a == b,
                _ => false,
            });
            match same {
                Some(same) => *same = same.join(shape),
                None => all.push(shape.clone()),
            }
        }
        if all.len() > MAX_SHAPES { Shape::Unknown } else { Shape::AnyOf(all.into()) }
    }
}

/// Changes every taint of a list.
pub fn map_taints(taints: &Taints, change: impl Fn(&mut Taint)) -> Taints {
    let list = taints.as_ref()?;
    Some(
        list.iter()
            .map(|t| {
                let mut t = t.clone();
                change(&mut t);
                t
            })
            .collect(),
    )
}

/// Adds the taints of `other`, keeping one for each origin and set of marks.
pub fn join_taints(into: &mut Taints, other: &Taints) {
    let Some(more) = other else { return };
    let Some(have) = into else {
        *into = other.clone();
        return;
    };
    if Rc::ptr_eq(have, more) {
        return;
    }
    let mut list: Option<Vec<Taint>> = None;
    for taint in more.iter() {
        let seen = list.as_deref().unwrap_or(have);
        if seen.len() >= MAX_TAINTS {
            break;
        }
        if !seen.iter().any(|t| t.origin == taint.origin && t.cleared == taint.cleared) {
            list.get_or_insert_with(|| have.to_vec()).push(taint.clone());
        }
    }
    if let Some(list) = list {
        *into = Some(list.into());
    }
}

/// Both lists together.
pub fn joined(a: &Taints, b: &Taints) -> Taints {
    let mut out = a.clone();
    join_taints(&mut out, b);
    out
}
