//! What an expression in a routes file comes to, as far as it is known without running it, and the
//! small rules for paths.

use wardroom_ruby::ir::{Block, Kind, Name, Node};

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// Not known; the text stands for it where a word is needed.
    Unknown(String),
    Nil,
    Bool(bool),
    Int(i64),
    Str(String),
    Sym(String),
    List(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// A regexp.
    Pattern,
    /// A constant whose value is not known.
    Constant(String),
    /// A lambda or block (with its code, where it stands in the file).
    Lambda(Option<&'a Block>),
    /// An object made by a call (`Foo.new(…)`, `Flipper::UI.app(Flipper)`).
    Object(String),
    /// What `redirect(…)` gives.
    Redirect,
    /// The object that declares routes, with the options that `with_options` and nesting add.
    Mapper(Box<Mapper<'a>>),
}

/// The `map` of Rails 2, or the `self` of later ones under another name.
#[derive(Clone, Debug)]
pub(super) struct Mapper<'a> {
    /// Rails 2.
    pub classic: bool,
    /// Options that every call through it gets.
    pub with: Keywords<'a>,
}

impl<'a> Value<'a> {
    pub fn str(text: impl Into<String>) -> Self {
        Value::Str(text.into())
    }

    pub fn sym(text: impl Into<String>) -> Self {
        Value::Sym(text.into())
    }

    /// As a word of a path or a name; what is not known stands in braces.
    pub fn word(&self) -> Option<String> {
        Some(match self {
            Value::Str(s) | Value::Sym(s) => s.clone(),
            Value::Int(n) => n.to_string(),
            Value::Constant(t) | Value::Object(t) | Value::Unknown(t) => format!("{{{t}}}"),
            _ => return None,
        })
    }

    /// A string, symbol or class name, where it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Value::Str(s) | Value::Sym(s) | Value::Constant(s) => Some(s),
            _ => None,
        }
    }

    pub fn truthy(&self) -> Option<bool> {
        match self {
            Value::Unknown(_) | Value::Constant(_) | Value::Object(_) => None,
            Value::Nil => Some(false),
            Value::Bool(b) => Some(*b),
            _ => Some(true),
        }
    }

    /// One value or a list of them, as words.
    pub fn words(&self) -> Vec<String> {
        match self {
            Value::List(items) => items.iter().flat_map(Value::words).collect(),
            other => other.word().into_iter().collect(),
        }
    }

    pub fn flat(self) -> Vec<Value<'a>> {
        match self {
            Value::List(items) => items.into_iter().flat_map(Value::flat).collect(),
            other => vec![other],
        }
    }

    /// How much memory it takes, in units of about one word.
    pub fn size(&self) -> usize {
        match self {
            Value::Unknown(t) | Value::Str(t) | Value::Sym(t) | Value::Constant(t) | Value::Object(t) => {
                1 + t.len() / 16
            }
            Value::List(items) => 1 + items.iter().map(Value::size).sum::<usize>(),
            Value::Map(pairs) => 1 + pairs.iter().map(|(k, v)| k.size() + v.size()).sum::<usize>(),
            Value::Mapper(mapper) => {
                1 + mapper.with.0.iter().map(|(k, v)| k.size() + v.size()).sum::<usize>()
            }
            _ => 1,
        }
    }

    /// How it would be written, for reports.
    pub fn text(&self) -> String {
        match self {
            Value::Unknown(t) | Value::Constant(t) | Value::Object(t) | Value::Str(t) => t.clone(),
            Value::Sym(t) => format!(":{t}"),
            Value::Nil => "nil".to_owned(),
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::List(_) => "[…]".to_owned(),
            Value::Map(_) => "{…}".to_owned(),
            Value::Pattern => "a pattern".to_owned(),
            Value::Lambda(_) => "lambda".to_owned(),
            Value::Redirect => "redirect".to_owned(),
            Value::Mapper(_) => "self".to_owned(),
        }
    }
}

/// The options of a call, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Keywords<'a>(pub Vec<(Value<'a>, Value<'a>)>);

impl<'a> Keywords<'a> {
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().rev().find(|(k, _)| matches!(k, Value::Sym(s) if s == name)).map(|(_, v)| v)
    }

    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = self.0.iter().rposition(|(k, _)| matches!(k, Value::Sym(s) if s == name))?;
        Some(self.0.remove(at).1)
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn set(&mut self, name: &str, value: Value<'a>) {
        self.0.retain(|(k, _)| !matches!(k, Value::Sym(s) if s == name));
        self.0.push((Value::sym(name), value));
    }

    /// The option as a word; `nil` and `false` count as not given.
    pub fn word(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::word)
    }

    /// These options, and `defaults` where these say nothing.
    pub fn over(mut self, defaults: &Keywords<'a>) -> Self {
        let mut all = defaults.clone();
        for (key, value) in self.0.drain(..) {
            match key {
                Value::Sym(name) => all.set(&name, value),
                other => all.0.push((other, value)),
            }
        }
        all
    }

    pub fn with(mut self, name: &str, value: Value<'a>) -> Self {
        self.set(name, value);
        self
    }
}

/// Splits the options off the end of an argument list.
pub(super) fn split_arguments<'a>(mut arguments: Vec<Value<'a>>) -> (Vec<Value<'a>>, Keywords<'a>) {
    match arguments.pop() {
        Some(Value::Map(pairs)) => (arguments, Keywords(pairs)),
        Some(other) => {
            arguments.push(other);
            (arguments, Keywords::default())
        }
        None => (arguments, Keywords::default()),
    }
}

/// `A::B` as text.
pub(super) fn constant_text(path: &[Name]) -> String {
    let text = path.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("::");
    text.trim_start_matches("::").to_owned()
}

/// An expression roughly as it was written, for reports; bounded in depth.
pub(super) fn node_text(node: &Node, depth: u32) -> String {
    if depth == 0 {
        return "…".to_owned();
    }
    let list = |nodes: &[Node]| nodes.iter().map(|n| node_text(n, depth - 1)).collect::<Vec<_>>().join(", ");
    match &node.kind {
        Kind::Const(path) => constant_text(path),
        Kind::Local(name) | Kind::Ivar(name) | Kind::Cvar(name) | Kind::Gvar(name) => name.to_string(),
        Kind::Str(s) => s.to_string(),
        Kind::Sym(s) => format!(":{s}"),
        Kind::Int(n) => n.to_string(),
        Kind::SelfRef => "self".to_owned(),
        Kind::Nil => "nil".to_owned(),
        Kind::Call(call) => {
            let head = call.recv.as_ref().map(|r| node_text(r, depth - 1));
            let arguments = list(&call.args);
            let name = call.name.as_str();
            match (head, name) {
                (Some(head), "[]") => format!("{head}[{arguments}]"),
                (Some(head), _) if arguments.is_empty() => format!("{head}.{name}"),
                (Some(head), _) => format!("{head}.{name}({arguments})"),
                (None, _) if arguments.is_empty() => name.to_owned(),
                (None, _) => format!("{name}({arguments})"),
            }
        }
        _ => "…".to_owned(),
    }
}

/// `/` in front, none at the end, none twice, and an optional first part with its slash inside.
pub(super) fn normalise(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    out.push('/');
    for c in path.trim().chars() {
        if c == '/' && out.ends_with('/') {
            continue;
        }
        out.push(c);
    }
    while out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    // `/(:locale)/x` answers to `/x` too: the slash belongs inside.
    let mut moved = String::with_capacity(out.len());
    let mut chars = out.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '/' && chars.peek() == Some(&'(') {
            while chars.peek() == Some(&'(') {
                moved.push('(');
                chars.next();
            }
            if !matches!(chars.peek(), Some('/' | '.')) {
                moved.push('/');
            }
            continue;
        }
        moved.push(c);
    }
    if moved.is_empty() { "/".to_owned() } else { moved }
}

/// Without the optional format at the end.
pub(super) fn without_format(path: &str) -> &str {
    let path = path.strip_suffix("(.:format)").or_else(|| path.strip_suffix("(.format)")).unwrap_or(path);
    if path.is_empty() { "/" } else { path }
}

/// Names of the parameters in a path template, in order: `:id`, `*rest`, also in optional parts.
pub fn path_parameters(path: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find([':', '*', '{', '\\']) {
        let (mark, tail) = rest[at..].split_at(1);
        match mark {
            // An escaped character is literal.
            "\\" => {
                let mut chars = tail.chars();
                chars.next();
                rest = chars.as_str();
                continue;
            }
            // A part that is not known is no parameter, whatever its text holds.
            "{" => {
                rest = tail.find('}').map_or("", |end| &tail[end..]);
                continue;
            }
            _ => {}
        }
        let end = tail.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(tail.len());
        let name = &tail[..end];
        if !name.is_empty() && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
        rest = &tail[end..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_paths() {
        assert_eq!(path_parameters("/users/:user_id/posts(/:id)(.:format)"), ["user_id", "id", "format"]);
        assert_eq!(path_parameters("/files/*path"), ["path"]);
        assert_eq!(path_parameters("/a/{x:y}/:b\\:c"), ["b"]);
        assert!(path_parameters("/").is_empty());
    }

    #[test]
    fn paths_are_brought_into_one_shape() {
        assert_eq!(normalise("users//:id/"), "/users/:id");
        assert_eq!(normalise("/(:locale)/users"), "(/:locale)/users");
        assert_eq!(normalise("/(*path)"), "(/*path)");
        assert_eq!(normalise(""), "/");
        assert_eq!(normalise("x(/:y)"), "x(/:y)".replace('x', "/x"));
    }
}
