//! `case` with `when` and with `in`: its arms, and what a pattern binds.

use wardroom_ruby::ir::*;

use super::Eval;
use crate::env::Env;
use crate::value::{Shape, Value};

impl<'a> Eval<'_, 'a> {
    /// `case`: every arm starts from what holds in front of it.
    pub(super) fn case(&mut self, case: &'a Case, patterns: bool) -> Value {
        let subject = case.subject.as_ref().map(|s| self.eval(s));
        let before = self.env.clone();
        let mut merged: Option<(Env, Value)> = None;
        for arm in &case.arms {
            self.env = before.clone();
            if patterns {
                if let (Some(pattern), Some(subject)) = (arm.tests.first(), &subject) {
                    self.bind_pattern(pattern, &subject.clone());
                }
            } else {
                for test in &arm.tests {
                    self.eval(test);
                    if case.subject.is_none() {
                        self.refine(test, true);
                    }
                }
                if let Some(subject) = &case.subject {
                    self.refine_case(subject, &arm.tests);
                }
            }
            if let Some(guard) = &arm.guard {
                self.eval(guard);
                self.refine(guard, true);
            }
            let value = self.eval(&arm.body);
            let env = std::mem::take(&mut self.env);
            merged = Some(match merged {
                None => (env, value),
                Some((old, so_far)) => {
                    let value = match (old.dead, env.dead) {
                        (true, _) => value,
                        (_, true) => so_far,
                        _ => so_far.join(&value),
                    };
                    let both = old.dead && env.dead;
                    let mut env = old.merge(env);
                    env.dead = both;
                    (env, value)
                }
            });
        }
        self.env = before;
        let otherwise = match &case.otherwise {
            Some(otherwise) => self.eval(otherwise),
            None => Value::harmless(),
        };
        let Some((env, value)) = merged else { return otherwise };
        let last = std::mem::take(&mut self.env);
        let value = match (env.dead, last.dead) {
            (true, _) => otherwise,
            (_, true) => value,
            _ => value.join(&otherwise),
        };
        let both = env.dead && last.dead;
        self.env = env.merge(last);
        self.env.dead = both;
        value
    }

    fn bind_pattern(&mut self, pattern: &'a Node, value: &Value) {
        match &pattern.kind {
            Kind::Local(_) => self.assign(pattern, value.clone()),
            Kind::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    let part = match &value.shape {
                        Shape::Array(values) => values.get(i).cloned().unwrap_or_else(|| value.element()),
                        _ => value.element(),
                    };
                    self.bind_pattern(item, &part);
                }
            }
            Kind::Hash(pairs) => {
                for pair in pairs {
                    let part = match wardroom_rails::literal_name(&pair.key).and_then(|k| value.key(&k)) {
                        Some(part) => part.clone(),
                        None => value.element(),
                    };
                    match &pair.key.kind {
                        Kind::DoubleSplat(inner) => self.bind_pattern(inner, value),
                        _ => self.bind_pattern(&pair.value, &part),
                    }
                }
            }
            Kind::And(sides) | Kind::Or(sides) => {
                self.bind_pattern(&sides.0, value);
                self.bind_pattern(&sides.1, value);
            }
            Kind::Splat(inner) => self.bind_pattern(inner, value),
            _ => {}
        }
    }
}
