//! A field's value as a column keeps it.

use std::borrow::Cow;

use serde_json::Value;

/// A value as text: numbers without needless digits, flags as `yes` and `no`. Empty texts and what
/// no field takes are none.
pub fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Bool(yes) => Some(Cow::Borrowed(if *yes { "yes" } else { "no" })),
        Value::Number(number) => Some(match number.as_i64() {
            Some(whole) => Cow::Owned(whole.to_string()),
            // `1.0` and `1` are one value.
            None => Cow::Owned(number.as_f64()?.to_string()),
        }),
        _ => None,
    }
}
