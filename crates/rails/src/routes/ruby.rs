//! The few methods of Ruby's own classes that routes files use on what they know.

use wardroom_ruby::ir::{Kind, Node};

use super::value::Value;
use crate::inflect;

/// What a method gives on a known value; `None` where it is not known.
pub(super) fn method<'a>(
    receiver: &Value<'a>,
    name: &str,
    arguments: &[Value<'a>],
    passed: Option<&Node>,
) -> Option<Value<'a>> {
    let first = arguments.first();
    Some(match (receiver, name) {
        (Value::Str(s) | Value::Sym(s), _) => return text(receiver, s, name, first),
        (value, "freeze" | "to_a" | "dup" | "compact" | "sort" | "uniq" | "presence") if !unknown(value) => {
            value.clone()
        }
        (Value::List(items), "map" | "collect") => {
            let Kind::Sym(method_name) = &passed?.kind else { return None };
            Value::List(items.iter().map(|v| method(v, method_name, &[], None)).collect::<Option<_>>()?)
        }
        (Value::List(items), "join") => {
            let between = first.and_then(Value::word).unwrap_or_default();
            Value::Str(items.iter().map(Value::word).collect::<Option<Vec<_>>>()?.join(&between))
        }
        (Value::List(items), "+" | "|" | "concat") => match first? {
            Value::List(more) => Value::List(items.iter().chain(more).cloned().collect()),
            _ => return None,
        },
        (Value::List(items), "-") => {
            let less = first?.words();
            Value::List(
                items.iter().filter(|v| !v.word().is_some_and(|w| less.contains(&w))).cloned().collect(),
            )
        }
        (Value::List(items), "include?") => {
            let wanted = first?.known()?;
            Value::Bool(items.iter().any(|v| v.known() == Some(wanted)))
        }
        (Value::List(items), "first") => items.first().cloned()?,
        (Value::List(items), "last") => items.last().cloned()?,
        (Value::List(items), "flatten") => Value::List(items.iter().cloned().flat_map(Value::flat).collect()),
        (Value::List(items), "[]") => match first? {
            Value::Int(n) => items.get(usize::try_from(*n).ok()?).cloned()?,
            _ => return None,
        },
        (Value::List(items), "empty?") => Value::Bool(items.is_empty()),
        (Value::List(items), "any?" | "present?") => Value::Bool(!items.is_empty()),
        (Value::Map(pairs), "[]" | "fetch" | "dig" | "delete") => {
            let wanted = first?.word()?;
            match pairs.iter().find(|(k, _)| k.word().as_deref() == Some(&wanted)) {
                Some((_, value)) => value.clone(),
                None => arguments.get(1).cloned().unwrap_or(Value::Nil),
            }
        }
        (Value::Map(pairs), "merge" | "reverse_merge" | "merge!") => {
            let Value::Map(more) = first? else { return None };
            let (low, high) = if name == "reverse_merge" { (more, pairs) } else { (pairs, more) };
            Value::Map(low.iter().chain(high).cloned().collect())
        }
        (Value::Map(pairs), "keys") => Value::List(pairs.iter().map(|(k, _)| k.clone()).collect()),
        (Value::Map(pairs), "values") => Value::List(pairs.iter().map(|(_, v)| v.clone()).collect()),
        (Value::Int(n), "==" | "!=" | ">" | "<" | ">=" | "<=") => {
            let Value::Int(other) = first? else { return None };
            Value::Bool(match name {
                "==" => n == other,
                "!=" => n != other,
                ">" => n > other,
                "<" => n < other,
                ">=" => n >= other,
                _ => n <= other,
            })
        }
        (Value::Int(n), "zero?") => Value::Bool(*n == 0),
        // The fallback is the best guess at a setting.
        (Value::Constant(c), "fetch") if c == "ENV" => arguments.get(1).cloned()?,
        (Value::Int(n), "to_s") => Value::Str(n.to_string()),
        (Value::Nil, "nil?" | "blank?") => Value::Bool(true),
        (Value::Nil, "to_s") => Value::str(""),
        (Value::Constant(c), "new" | "compile" | "union") if c == "Regexp" => Value::Pattern,
        (Value::Constant(c), "new") if c == "Proc" => Value::Lambda(None),
        // `UsersController.action(:show)` is an endpoint of its own.
        (Value::Constant(c), "action") => {
            let controller = inflect::underscore(c.strip_suffix("Controller")?);
            Value::Str(format!("/{controller}#{}", first?.known()?))
        }
        _ => return None,
    })
}

fn unknown(value: &Value<'_>) -> bool {
    matches!(value, Value::Unknown(_) | Value::Constant(_) | Value::Object(_))
}

fn text<'a>(whole: &Value<'a>, s: &str, name: &str, first: Option<&Value<'a>>) -> Option<Value<'a>> {
    let same = |text: String| match whole {
        Value::Sym(_) if !matches!(name, "to_s" | "name") => Value::Sym(text),
        _ => Value::Str(text),
    };
    Some(match name {
        "to_s" | "name" | "to_str" => Value::str(s),
        "to_sym" | "intern" => Value::sym(s),
        "freeze" | "dup" | "html_safe" | "strip" | "presence" => whole.clone(),
        "pluralize" => same(inflect::plural(s)),
        "singularize" => same(inflect::singular(s)),
        "underscore" => same(inflect::underscore(s)),
        "downcase" => same(s.to_lowercase()),
        "upcase" => same(s.to_uppercase()),
        "dasherize" => same(s.replace('_', "-")),
        "tr" | "gsub" | "sub" | "delete_prefix" | "delete_suffix" => return None,
        "+" => match first?.word() {
            Some(more) => Value::Str(format!("{s}{more}")),
            None => Value::Str(format!("{s}{{{}}}", first?.text())),
        },
        "==" => Value::Bool(first?.known()? == s),
        "!=" => Value::Bool(first?.known()? != s),
        "split" => {
            let by = first.and_then(Value::known).unwrap_or(" ");
            Value::List(s.split(by).filter(|p| !p.is_empty()).map(Value::str).collect())
        }
        "present?" => Value::Bool(!s.is_empty()),
        "blank?" | "empty?" => Value::Bool(s.is_empty()),
        _ => return None,
    })
}
