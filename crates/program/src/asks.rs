//! What a condition asks: whether its names exist, and whether its comparisons can come out both
//! ways. The language itself has no types and would only stay silent.

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use crate::names::{self, CONFIDENCES, FACTS, SEVERITIES};
use crate::problem::{At, Problems, crop, instead};
use crate::{Condition, Field, FieldType, Formula};

/// What a name or a part of a condition stands for.
#[derive(Clone, Debug, PartialEq)]
enum Sort {
    Text,
    /// A text out of few.
    Words(Vec<String>),
    /// A text out of few that have an order of their own.
    Ordered(Vec<String>),
    Number,
    Flag,
    List,
    Null,
    Any,
}

impl Sort {
    fn is_text(&self) -> bool {
        matches!(self, Sort::Text | Sort::Words(_) | Sort::Ordered(_) | Sort::Any)
    }

    fn words(&self) -> &'static str {
        match self {
            Sort::Text | Sort::Words(_) | Sort::Ordered(_) => "a text",
            Sort::Number => "a number",
            Sort::Flag => "true or false",
            Sort::List => "a list",
            Sort::Null => "null",
            Sort::Any => "a value",
        }
    }
}

/// The names that a condition may ask about.
#[derive(Clone, Debug)]
pub struct Scope {
    names: Vec<(String, Sort)>,
    values: Option<Vec<ValueName>>,
}

/// What a formula may ask of policies.
#[derive(Clone, Debug)]
pub struct ValueName {
    /// The value's name.
    pub name: String,
    /// It is one number.
    pub plain: bool,
    /// The words for which it has a number each.
    pub words: Vec<String>,
}

/// Longest condition, in characters: one that is longer is no rule that a person reads.
const LONGEST: usize = 1000;

/// Functions that may be called, beside operators and `exists`, `all`, `filter`, `map`, `exists_one`.
const FUNCTIONS: &[&str] = &["level", "size", "startsWith", "endsWith", "contains", "matches"];

/// Functions that formulas have beside them: name, what each takes, and what it gives.
const FORMULAS: &[(&str, &[Sort], Sort)] = &[
    ("round", &[Sort::Number], Sort::Number),
    ("ceil", &[Sort::Number], Sort::Number),
    ("least", &[Sort::Number, Sort::Number], Sort::Number),
    ("most", &[Sort::Number, Sort::Number], Sort::Number),
    ("days", &[Sort::Text, Sort::Number], Sort::Text),
    ("business_days", &[Sort::Text, Sort::Number], Sort::Text),
    ("between", &[Sort::Text, Sort::Text], Sort::Number),
    ("nth", &[Sort::Text, Sort::Number, Sort::Number], Sort::Text),
    ("earlier_minors", &[Sort::Text, Sort::Number, Sort::Number], Sort::Text),
    ("policy", &[Sort::Text], Sort::Number),
    ("policy_of", &[Sort::Text, Sort::Text], Sort::Number),
];

impl Scope {
    /// The fields of a kind and what is known of every record.
    pub fn of(fields: &[Field], states: &[&str], kind: &str) -> Scope {
        let mut names: Vec<(String, Sort)> = fields.iter().map(|f| (f.name.clone(), sort(&f.kind))).collect();
        for fact in FACTS {
            let sort = match *fact {
                "state" if !states.is_empty() => {
                    Sort::Words(states.iter().map(|s| (*s).to_owned()).collect())
                }
                "kind" => Sort::Words(vec![kind.to_owned()]),
                "open" | "present" => Sort::Flag,
                "labels" => Sort::List,
                "age" => Sort::Number,
                _ => Sort::Text,
            };
            names.push(((*fact).to_owned(), sort));
        }
        Scope { names, values: None }
    }

    /// The same, for formulas.
    pub fn with_values(&self, values: &[ValueName]) -> Scope {
        Scope { values: Some(values.to_vec()), ..self.clone() }
    }

    /// A formula whose names are right and that gives what the field takes; its problems otherwise.
    pub fn formula(
        &self,
        source: &At<String>,
        gives: &FieldType,
        problems: &mut Problems,
    ) -> Option<Formula> {
        if source.text().chars().count() > LONGEST {
            problems.about(source, format!("a formula has at most {LONGEST} characters"), None);
            return None;
        }
        let formula = match Formula::compile(source.text()) {
            Ok(formula) => formula,
            Err(why) => {
                problems.about(source, format!("the formula cannot be read: {why}"), None);
                return None;
            }
        };
        let mut asked =
            Asked { scope: self.names.clone(), values: self.values.clone(), wrong: Vec::new(), loops: 0 };
        let found = asked.sort(formula.expression());
        let wanted = sort(gives);
        let fits = match (&found, &wanted) {
            (Sort::Any | Sort::Null, _) => true,
            (found, Sort::Number | Sort::Flag) => *found == wanted,
            (found, _) => found.is_text(),
        };
        if !fits && asked.wrong.is_empty() {
            asked.say(
                format!("the formula gives {}, and the field takes {}", found.words(), wanted.words()),
                None,
            );
        }
        for (message, help) in &asked.wrong {
            problems.about(source, message.clone(), help.clone());
        }
        asked.wrong.is_empty().then_some(formula)
    }

    /// The same, with who asks: for transitions.
    pub fn with_caller(&self) -> Scope {
        let mut scope = self.clone();
        scope.names.push((names::CALLER.to_owned(), Sort::Text));
        scope
    }

    /// A condition whose names and comparisons are right; its problems otherwise.
    pub fn condition(&self, source: &At<String>, problems: &mut Problems) -> Option<Condition> {
        if source.text().chars().count() > LONGEST {
            problems.about(source, format!("a condition has at most {LONGEST} characters"), None);
            return None;
        }
        let condition = match Condition::compile(source.text()) {
            Ok(condition) => condition,
            Err(why) => {
                let help = source.text().contains("has(").then(|| "write `field != null`".to_owned());
                problems.about(source, format!("the condition cannot be read: {why}"), help);
                return None;
            }
        };
        let mut asked = Asked { scope: self.names.clone(), values: None, wrong: Vec::new(), loops: 0 };
        let gives = asked.sort(condition.expression());
        if !matches!(gives, Sort::Flag | Sort::Any) && asked.wrong.is_empty() {
            asked.say(format!("the condition gives {}, not true or false", gives.words()), None);
        }
        let wrong = asked.wrong;
        for (message, help) in &wrong {
            problems.about(source, message.clone(), help.clone());
        }
        wrong.is_empty().then_some(condition)
    }
}

fn sort(kind: &FieldType) -> Sort {
    let owned = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    match kind {
        FieldType::Number => Sort::Number,
        FieldType::Flag => Sort::Flag,
        FieldType::Choice(choices) if !choices.is_empty() => Sort::Words(choices.clone()),
        FieldType::Severity => Sort::Ordered(owned(SEVERITIES)),
        FieldType::Confidence => Sort::Ordered(owned(CONFIDENCES)),
        _ => Sort::Text,
    }
}

struct Asked {
    scope: Vec<(String, Sort)>,
    values: Option<Vec<ValueName>>,
    wrong: Vec<(String, Option<String>)>,
    loops: u8,
}

impl Asked {
    fn say(&mut self, message: String, help: Option<String>) {
        if !self.wrong.iter().any(|(m, _)| *m == message) {
            self.wrong.push((message, help));
        }
    }

    fn sort(&mut self, expr: &IdedExpr) -> Sort {
        match &expr.expr {
            Expr::Ident(name) if name.starts_with('@') => Sort::Any,
            Expr::Ident(name) => self.name(name),
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Sort::Flag,
                LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Sort::Number,
                LiteralValue::String(_) => Sort::Text,
                LiteralValue::Null => Sort::Null,
                LiteralValue::Bytes(_) => Sort::Any,
            },
            Expr::List(list) => {
                for element in &list.elements {
                    self.sort(element);
                }
                Sort::List
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(each) => {
                let over = self.sort(&each.iter_range);
                if !matches!(over, Sort::List | Sort::Any) {
                    self.say(format!("{} is {}, not a list", show(&each.iter_range), over.words()), None);
                }
                // One inside another could take as long as it likes.
                if self.loops > 0 {
                    self.say("one `exists` or `all` cannot stand in another".to_owned(), None);
                    return Sort::Any;
                }
                self.loops += 1;
                self.scope.push((each.iter_var.clone(), Sort::Any));
                self.sort(&each.accu_init);
                self.sort(&each.loop_cond);
                self.sort(&each.loop_step);
                self.sort(&each.result);
                self.scope.pop();
                self.loops -= 1;
                Sort::Any
            }
            Expr::Select(select) => {
                let help =
                    format!("write `{} != null` to ask whether there is one", show_plain(&select.operand));
                self.sort(&select.operand);
                self.say(
                    format!("`{}` has no parts: fields are single values", show_plain(&select.operand)),
                    Some(help),
                );
                Sort::Any
            }
            Expr::Map(_) | Expr::Struct(_) => {
                self.say("a condition compares; it makes no mappings".to_owned(), None);
                Sort::Any
            }
            Expr::Unspecified => Sort::Any,
        }
    }

    fn name(&mut self, name: &str) -> Sort {
        if let Some((_, sort)) = self.scope.iter().rev().find(|(n, _)| n == name) {
            return sort.clone();
        }
        let help = instead(name, self.scope.iter().map(|(n, _)| n.as_str()));
        self.say(format!("the condition asks about `{}`, which does not exist", crop(name)), help);
        Sort::Any
    }

    fn call(&mut self, call: &CallExpr) -> Sort {
        let parts: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        let sorts: Vec<Sort> = parts.iter().map(|p| self.sort(p)).collect();
        let name = call.func_name.as_str();
        match (name, sorts.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT, _) => {
                for (part, sort) in parts.iter().zip(&sorts) {
                    self.needs(part, sort, &Sort::Flag);
                }
                Sort::Flag
            }
            (op::EQUALS | op::NOT_EQUALS, [left, right]) => {
                self.equal((parts[0], left), (parts[1], right));
                Sort::Flag
            }
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [left, right]) => {
                self.ordered((parts[0], left), (parts[1], right));
                Sort::Flag
            }
            (op::IN, [left, right]) => {
                if let Expr::List(list) = &parts[1].expr {
                    for element in &list.elements {
                        let sort = self.sort(element);
                        self.equal((parts[0], left), (element, &sort));
                    }
                } else {
                    self.needs(parts[1], right, &Sort::List);
                }
                Sort::Flag
            }
            (op::CONDITIONAL, [test, yes, _]) => {
                self.needs(parts[0], test, &Sort::Flag);
                if *yes == Sort::Null { sorts[2].clone() } else { yes.clone() }
            }
            (op::ADD, [left, right]) => match (left, right) {
                (Sort::Number, Sort::Number) => Sort::Number,
                (l, r) if l.is_text() && r.is_text() => Sort::Text,
                (Sort::List | Sort::Any, _) => Sort::Any,
                _ => {
                    self.say(format!("{} cannot be added to {}", show(parts[1]), show(parts[0])), None);
                    Sort::Any
                }
            },
            (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE, _) => {
                for (part, sort) in parts.iter().zip(&sorts) {
                    self.needs(part, sort, &Sort::Number);
                }
                Sort::Number
            }
            (op::NOT_STRICTLY_FALSE, _) => Sort::Any,
            ("level", [of]) => {
                self.needs(parts[0], of, &Sort::Text);
                if let Some(word) = text(parts[0])
                    && !SEVERITIES.contains(&word)
                {
                    let help = instead(word, SEVERITIES.iter().copied());
                    self.say(format!("`{}` is no level", crop(word)), help);
                }
                Sort::Number
            }
            ("size", [of]) => {
                if !of.is_text() && *of != Sort::List {
                    self.say(format!("{} has no size", show(parts[0])), None);
                }
                Sort::Number
            }
            ("startsWith" | "endsWith" | "contains" | "matches", [_, _]) if call.target.is_some() => {
                for (part, sort) in parts.iter().zip(&sorts) {
                    self.needs(part, sort, &Sort::Text);
                }
                Sort::Flag
            }
            _ if self.values.is_some() && FORMULAS.iter().any(|(n, _, _)| *n == name) => {
                self.counts(name, &parts, &sorts)
            }
            _ if FUNCTIONS.contains(&name) => {
                let help = match name {
                    "level" | "size" => format!("write `{name}(field)`"),
                    _ => format!("write `field.{name}('…')`"),
                };
                self.say(format!("`{name}` is not called like this"), Some(help));
                Sort::Any
            }
            _ => {
                let more = FORMULAS.iter().map(|(n, _, _)| *n).filter(|_| self.values.is_some());
                let help = instead(name, FUNCTIONS.iter().copied().chain(more));
                self.say(format!("there is no function `{}`", crop(name)), help);
                Sort::Any
            }
        }
    }

    /// A function that only formulas have.
    fn counts(&mut self, name: &str, parts: &[&IdedExpr], sorts: &[Sort]) -> Sort {
        let Some((_, takes, gives)) = FORMULAS.iter().find(|(n, _, _)| *n == name) else { return Sort::Any };
        if parts.len() != takes.len() {
            self.say(format!("`{name}` takes {} values, not {}", takes.len(), parts.len()), None);
            return gives.clone();
        }
        for ((part, is), needed) in parts.iter().zip(sorts).zip(*takes) {
            self.needs(part, is, needed);
        }
        if name.starts_with("policy") {
            self.policy(name, parts);
        }
        gives.clone()
    }

    /// A value of a policy must be there, and be of the form that is asked for.
    fn policy(&mut self, function: &str, parts: &[&IdedExpr]) {
        let values = self.values.clone().unwrap_or_default();
        let Some(name) = text(parts[0]) else {
            self.say(format!("`{function}` needs the name of a value in quotes"), None);
            return;
        };
        let Some(value) = values.iter().find(|v| v.name == name) else {
            let help = instead(name, values.iter().map(|v| v.name.as_str()));
            self.say(format!("the policies have no value `{}`", crop(name)), help);
            return;
        };
        match parts.get(1) {
            None if !value.plain => {
                let help = Some(format!("write `policy_of('{name}', field)`"));
                self.say(format!("`{name}` has a number for each of some words"), help);
            }
            Some(_) if value.words.is_empty() => {
                self.say(format!("`{name}` is one number"), Some(format!("write `policy('{name}')`")));
            }
            Some(word) => {
                if let Some(word) = text(word)
                    && !value.words.iter().any(|w| w == word)
                {
                    let help = instead(word, value.words.iter().map(String::as_str));
                    self.say(format!("`{name}` has no number for `{}`", crop(word)), help);
                }
            }
            None => {}
        }
    }

    fn needs(&mut self, part: &IdedExpr, is: &Sort, needed: &Sort) {
        let fits = *is == Sort::Any || is == needed || (*needed == Sort::Text && is.is_text());
        if !fits {
            self.say(format!("{} is {}, where {} is needed", show(part), is.words(), needed.words()), None);
        }
    }

    /// Two things that can never be the same are a mistake, and so is a word that a field never holds.
    fn equal(&mut self, left: (&IdedExpr, &Sort), right: (&IdedExpr, &Sort)) {
        for ((a, sort), (b, _)) in [(left, right), (right, left)] {
            if let (Sort::Words(words) | Sort::Ordered(words), Some(word)) = (sort, text(b))
                && !words.iter().any(|w| w == word)
            {
                let help = instead(word, words.iter().map(String::as_str));
                self.say(format!("{} is never `{}`", show(a), crop(word)), help);
            }
        }
        let (l, r) = (left.1, right.1);
        let open = |s: &Sort| matches!(s, Sort::Any | Sort::Null);
        if !(open(l) || open(r) || l == r || l.is_text() && r.is_text()) {
            let message = format!(
                "{} is {} and {} is {}: they are never the same",
                show(left.0),
                l.words(),
                show(right.0),
                r.words()
            );
            self.say(message, None);
        }
    }

    fn ordered(&mut self, left: (&IdedExpr, &Sort), right: (&IdedExpr, &Sort)) {
        for ((a, sort), (b, _)) in [(left, right), (right, left)] {
            if matches!(sort, Sort::Ordered(_)) {
                let help = format!("write level({}) and level({})", show_plain(a), show_plain(b));
                self.say(format!("{} would be compared by the alphabet", show(a)), Some(help));
                return;
            }
        }
        let (l, r) = (left.1, right.1);
        let both = |s: fn(&Sort) -> bool| (s(l) || *l == Sort::Any) && (s(r) || *r == Sort::Any);
        if !both(Sort::is_text) && !both(|s| *s == Sort::Number) {
            let message = format!(
                "{} is {} and {} is {}: neither is more than the other",
                show(left.0),
                l.words(),
                show(right.0),
                r.words()
            );
            self.say(message, None);
        }
    }
}

fn text(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn show(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Ident(_)
        | Expr::Literal(LiteralValue::String(_) | LiteralValue::Int(_) | LiteralValue::Boolean(_)) => {
            format!("`{}`", show_plain(expr))
        }
        Expr::Call(call) if call.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            format!("`{}`", show_plain(expr))
        }
        _ => "what stands there".to_owned(),
    }
}

fn show_plain(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Ident(name) => crop(name),
        Expr::Literal(LiteralValue::String(text)) => format!("'{}'", crop(text.inner())),
        Expr::Literal(LiteralValue::Int(number)) => number.inner().to_string(),
        Expr::Literal(LiteralValue::Boolean(flag)) => flag.inner().to_string(),
        Expr::Call(call) => format!("{}(…)", crop(&call.func_name)),
        _ => "…".to_owned(),
    }
}
