//! Blocks and lambdas: their parameters, their own variables, what `next` and `return` in them give.

use wardroom_ruby::ir::*;

use super::Eval;
use crate::engine::Lambda;
use crate::env::Env;
use crate::value::{Shape, Value};

/// Lambdas that call each other deeper than this are not followed.
const MAX_LAMBDA_DEPTH: u32 = 3;

impl<'a> Eval<'_, 'a> {
    /// `->(x) { … }`: what it does is looked at where it stands and, with what it is given, where it is called.
    pub fn lambda(&mut self, block: &'a Block) -> Value {
        self.lambda_body(block, &[]);
        self.engine.lambdas.push(Lambda { unit: self.unit, file: self.file, block });
        Value::shaped(Shape::Lambda(self.engine.lambdas.len() as u32 - 1))
    }

    /// What a lambda gives: `return` in it leaves the lambda alone.
    fn lambda_body(&mut self, block: &'a Block, args: &[Value]) -> Value {
        let outer = self.result.take();
        let last = self.block(block, args);
        match std::mem::replace(&mut self.result, outer) {
            Some(returned) => returned.join(&last),
            None => last,
        }
    }

    /// Calls a lambda. Its own surroundings are known only in the method that made it.
    pub fn call_lambda(&mut self, number: u32, args: &[Value]) -> Value {
        let Some(Lambda { unit, file, block }) = self.engine.lambdas.get(number as usize).copied() else {
            return Value::default();
        };
        if self.lambda_depth >= MAX_LAMBDA_DEPTH {
            return Value::default();
        }
        self.lambda_depth += 1;
        let here = std::mem::replace(&mut self.file, file);
        let value = if unit == self.unit {
            self.lambda_body(block, args)
        } else {
            let env = std::mem::take(&mut self.env);
            let value = self.lambda_body(block, args);
            self.env = env;
            value
        };
        self.file = here;
        self.lambda_depth -= 1;
        value
    }

    /// Evaluates a block with these values for its parameters; gives what it gives.
    pub fn block(&mut self, block: &'a Block, values: &[Value]) -> Value {
        self.block_keeping(block, values, None).0
    }

    /// The same, with what one of the parameters holds at the end.
    pub fn block_keeping(
        &mut self,
        block: &'a Block,
        values: &[Value],
        keep: Option<usize>,
    ) -> (Value, Option<Value>) {
        let before = self.env.clone();
        // Parameters hide variables of the same name; those come back afterwards.
        let hidden: Vec<(Name, Option<Value>)> =
            block.params.iter().map(|p| (p.name, self.env.local(p.name).cloned())).collect();
        // One value for several parameters: an array or pair, taken apart.
        let spread = values.len() == 1 && block.params.len() > 1;
        for (i, param) in block.params.iter().enumerate() {
            let value = match (spread, values) {
                (true, [only]) => match &only.shape {
                    Shape::Array(items) => items.get(i).cloned().unwrap_or_else(|| only.element()),
                    _ => only.clone(),
                },
                _ => values.get(i).cloned().unwrap_or_default(),
            };
            if !param.inner.is_empty() {
                self.destructure(&param.inner, &value);
            } else if param.form != ParamForm::Block {
                let value = self.named(value, param.name, param.span);
                Env::set(&mut self.env.locals, param.name, value);
            }
        }
        let outer = self.block_result.take();
        let last = self.eval(&block.body);
        let result = match (self.block_result.take(), self.env.dead) {
            (Some(next), true) => next,
            (Some(next), false) => next.join(&last),
            (None, _) => last,
        };
        self.block_result = outer;
        let mut after = std::mem::take(&mut self.env);
        after.dead = false;
        let kept = keep.and_then(|k| after.local(block.params.get(k)?.name).cloned());
        for (name, value) in hidden {
            match value {
                Some(value) => Env::set(&mut after.locals, name, value),
                None => after.locals.retain(|(n, _)| *n != name),
            }
        }
        self.env = before.merge(after);
        (result, kept)
    }
}
