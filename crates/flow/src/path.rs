//! How a taint came where it is: a chain of steps that shares its beginnings.

use std::rc::Rc;

use wardroom_rails::FileId;
use wardroom_ruby::ir::{Name, Span};

/// Most steps that a finding shows.
const MAX_STEPS: usize = 24;

/// A chain of steps.
#[derive(Clone, Debug, Default)]
pub struct Path(Option<Rc<Link>>);

#[derive(Debug)]
enum Link {
    Step(Path, Step),
    /// The caller's part, then the callee's.
    Join(Path, Path),
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Where.
    pub file: FileId,
    /// Where.
    pub span: Span,
    /// What happens.
    pub what: What,
}

/// What happens at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// Data comes in.
    Source(Name),
    /// Assigned to a variable.
    Assigned(Name),
    /// Passed to a method, as its parameter.
    Passed(Name, Name),
    /// Handed back by a method.
    Returned(Name),
    /// Handed to a template as a variable.
    Rendered(Name),
    /// Built into a string.
    Built,
    /// The list of permitted keys was passed by: `to_unsafe_h`, `permit!`.
    Opened(Name),
}

impl Path {
    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Path {
        Path(Some(Rc::new(Link::Step(self.clone(), step))))
    }

    /// Whether it is still the very thing: it was only given names.
    pub fn only_named(&self) -> bool {
        let mut path = self;
        loop {
            match path.0.as_deref() {
                None => return true,
                Some(Link::Step(before, Step { what: What::Assigned(_) | What::Returned(_), .. })) => {
                    path = before;
                }
                Some(_) => return false,
            }
        }
    }

    /// Whether nothing has happened on the way.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// This path, then the other.
    #[must_use]
    pub fn and(&self, rest: &Path) -> Path {
        match (&self.0, &rest.0) {
            (None, _) => rest.clone(),
            (_, None) => self.clone(),
            _ => Path(Some(Rc::new(Link::Join(self.clone(), rest.clone())))),
        }
    }

    /// The steps in order; of a long chain the first and the last ones.
    pub fn steps(&self) -> Vec<Step> {
        let mut out = Vec::new();
        let mut stack = vec![self];
        while let Some(path) = stack.pop() {
            match path.0.as_deref() {
                None => {}
                Some(Link::Step(before, step)) => {
                    out.push(*step);
                    stack.push(before);
                }
                Some(Link::Join(first, second)) => {
                    stack.push(first);
                    stack.push(second);
                }
            }
            if out.len() > 400 {
                break;
            }
        }
        out.reverse();
        out.dedup_by(|a, b| a.span == b.span && a.file == b.file);
        if out.len() > MAX_STEPS {
            out.drain(MAX_STEPS / 2..out.len() - MAX_STEPS / 2);
        }
        out
    }
}
