//! A condition in the Common Expression Language, its names checked when it is made.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// What a condition is asked about: names and their values. A name that a record lacks is null.
pub type Facts = Map<String, Value>;

/// The language's own functions. Making them takes longer than asking a condition does.
pub(crate) static LANGUAGE: LazyLock<Arc<cel::Env>> = LazyLock::new(|| Arc::new(cel::Env::stdlib()));

/// A condition, compiled.
#[derive(Clone)]
pub struct Condition {
    source: String,
    program: Arc<cel::Program>,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({})", self.source)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl Condition {
    /// Compiles a text; what is wrong with it otherwise. Names are checked by the caller, who knows
    /// the kind.
    pub fn compile(source: &str) -> Result<Condition, String> {
        let program = compiled(source)?;
        Ok(Condition { source: source.to_owned(), program: Arc::new(program) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// As a tree, for who checks its names.
    pub(crate) fn expression(&self) -> &cel::common::ast::IdedExpr {
        self.program.expression()
    }

    /// The names of variables in it.
    pub fn variables(&self) -> Vec<String> {
        self.program.references().variables().into_iter().map(str::to_owned).collect()
    }

    /// The names of functions in it.
    pub fn functions(&self) -> Vec<String> {
        self.program.references().functions().into_iter().map(str::to_owned).collect()
    }

    /// Whether it holds. What cannot be evaluated (a null compared with a number) does not hold.
    pub fn holds(&self, facts: &Facts) -> bool {
        matches!(self.evaluate(facts), Ok(true))
    }

    /// The same, with what went wrong.
    pub fn evaluate(&self, facts: &Facts) -> Result<bool, String> {
        let mut context = cel::Context::with_env(Arc::clone(&LANGUAGE));
        context.add_function("level", level).map_err(|e| e.to_string())?;
        for name in self.program.references().variables() {
            let value = facts.get(name).cloned().unwrap_or(Value::Null);
            context.add_variable(name, value).map_err(|e| e.to_string())?;
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it gives {}, not true or false", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A text as the language's own program; what is wrong with it otherwise.
pub(crate) fn compiled(source: &str) -> Result<cel::Program, String> {
    cel::Program::compile(source).map_err(|e| {
        // The first says what is wrong; the others follow from it.
        e.errors.first().map_or_else(String::new, |e| {
            let message = e.msg.lines().next().unwrap_or_default().trim_end_matches('.');
            let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
            // What could stand there instead is nearly everything.
            let message = message.split(" expecting ").next().unwrap_or_default();
            if message.contains("<EOF>") {
                "it ends too early".to_owned()
            } else {
                format!("{message} (character {})", e.pos.1.max(1))
            }
        })
    })
}

/// `level("high")`: words of severity and confidence as numbers, so that they can be compared. An
/// unknown word is 0.
#[expect(clippy::needless_pass_by_value, reason = "the form of function that the library takes")]
fn level(word: Arc<String>) -> i64 {
    i64::from(rank(&word))
}

pub(crate) fn rank(word: &str) -> i32 {
    match word {
        "info" => 1,
        "low" => 2,
        "medium" => 3,
        "high" => 4,
        "critical" => 5,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        json!({"severity": "high", "labels": ["a"], "now": 5, "until": null}).as_object().cloned().unwrap()
    }

    #[test]
    fn conditions_are_asked() {
        for (source, holds) in [
            ("level(severity) >= level('high')", true),
            ("severity == 'low'", false),
            ("'a' in labels", true),
            ("until != null && until > now", false),
            ("until > now", false),
            ("missing == null", true),
            // Who asks, where nobody has said who asked first; and neither known.
            ("severity != missing", true),
            ("until != missing", false),
            ("now < 5.5 && 4.5 < now && now == 5.0", true),
            ("labels.exists(l, l.startsWith('a'))", true),
        ] {
            assert_eq!(Condition::compile(source).unwrap().holds(&facts()), holds, "{source}");
        }
        assert!(Condition::compile("severity ==").is_err());
        assert_eq!(Condition::compile("a.b > c").unwrap().variables().len(), 2);
    }
}
