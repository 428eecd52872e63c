//! Variables and what is known of them at one point of the code, and how branches come together.

use std::rc::Rc;

use wardroom_ruby::ir::Name;

use crate::knowledge::Marks;
use crate::value::{Shape, Value};

/// Variables and what is known of them at one point of the code.
#[derive(Clone, Debug, Default)]
pub struct Env {
    pub locals: Vec<(Name, Value)>,
    pub ivars: Vec<(Name, Value)>,
    /// Expressions (`params[:sort]`) that a check has made harmless here.
    pub cleared: Vec<(Name, Marks)>,
    /// What the last match captured: the text, and for each group whether it is harmless.
    pub last_match: Option<(Value, Rc<[bool]>)>,
    /// What is cleared where nothing was answered: after a filter that renders or redirects, the
    /// action runs only there.
    pub passed: Vec<(Name, Marks)>,
    /// The response has been decided (`render`, `redirect_to`, `head`).
    pub answered: bool,
    /// Nothing below is reached.
    pub dead: bool,
}

impl Env {
    pub fn local(&self, name: Name) -> Option<&Value> {
        self.locals.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    pub fn set(list: &mut Vec<(Name, Value)>, name: Name, value: Value) {
        match list.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => list.push((name, value)),
        }
    }

    /// What has been made harmless on every way that goes on to the action.
    pub fn let_through(&self) -> Vec<(Name, Marks)> {
        let mut all = self.cleared.clone();
        all.extend(self.passed.iter().filter(|c| !self.cleared.contains(c)));
        all
    }

    /// What holds after one of two branches.
    pub fn merge(self, other: Env) -> Env {
        // A branch that answers, or ends, lets only the other one through to the action.
        let open = |env: &Env| !env.dead && !env.answered;
        let passed = match (open(&self), open(&other)) {
            (true, false) => self.let_through(),
            (false, true) => other.let_through(),
            _ => {
                let theirs = other.let_through();
                self.let_through().into_iter().filter(|c| theirs.contains(c)).collect()
            }
        };
        if self.dead {
            return Env { passed, ..other };
        }
        if other.dead {
            return Env { passed, ..self };
        }
        let answered = self.answered && other.answered;
        fn lists(mut a: Vec<(Name, Value)>, b: Vec<(Name, Value)>) -> Vec<(Name, Value)> {
            for (i, (name, value)) in b.into_iter().enumerate() {
                // Both lists grow from the same start, so the same name mostly has the same place.
                let at = if a.get(i).is_some_and(|(n, _)| *n == name) {
                    Some(i)
                } else {
                    a.iter().position(|(n, _)| *n == name)
                };
                match at {
                    Some(at) => {
                        let same = match (&a[at].1.taints, &value.taints) {
                            (Some(x), Some(y)) => Rc::ptr_eq(x, y),
                            (None, None) => {
                                matches!((&a[at].1.shape, &value.shape), (Shape::Unknown, Shape::Unknown))
                            }
                            _ => false,
                        };
                        if !same {
                            a[at].1 = a[at].1.join(&value);
                        }
                    }
                    None => a.push((name, value)),
                }
            }
            a
        }
        let cleared = self.cleared.into_iter().filter(|c| other.cleared.contains(c)).collect();
        let last_match = self.last_match.or(other.last_match);
        Env {
            locals: lists(self.locals, other.locals),
            ivars: lists(self.ivars, other.ivars),
            cleared,
            passed,
            answered,
            last_match,
            dead: false,
        }
    }
}
