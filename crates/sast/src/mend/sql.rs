//! Values built into SQL become placeholders.

use wardroom_rails::{FileId, literal_name};
use wardroom_ruby::ir::{Call, Kind, Node, Span};

use super::{Mend, Piece, calls, is_plain, of_params, pieces, replace, root};
use crate::context::Context;

/// Methods that take placeholders' values behind the SQL.
const BESIDE: &[&str] = &["where", "where!", "having", "not", "find_by", "find_by!"];
/// Methods that take SQL and values in one array.
const IN_ARRAY: &[&str] = &["find_by_sql", "count_by_sql", "update_all"];

/// `where("name = '#{name}'")` to `where("name = ?", name)`: only where every value stands as a whole,
/// and the rest of the statement is fixed or a table's own name.
pub fn placeholders(context: &Context<'_, '_>, file: FileId, span: Span) -> Option<Mend> {
    let call = super::call_at(context, file, span)?;
    let (node, in_array) = statement(call)?;
    let pieces = pieces(context, file, node)?;
    let (sql, values) = bind(context, file, &pieces)?;
    let values = values.join(", ");
    let text = if in_array { format!("[\"{sql}\", {values}]") } else { format!("\"{sql}\", {values}") };
    Some(replace("Passes the values beside the SQL", file, node.span, text))
}

/// The SQL of a call, and whether its values have to stand with it in an array.
fn statement(call: &Call) -> Option<(&Node, bool)> {
    let name = call.name.as_str();
    let single = match call.args.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    if let Some(only) = single
        && (BESIDE.contains(&name) || IN_ARRAY.contains(&name))
    {
        return match &only.kind {
            Kind::Array(items) if items.len() == 1 => Some((&items[0], false)),
            Kind::Interp(_) | Kind::Call(_) => Some((only, IN_ARRAY.contains(&name))),
            _ => None,
        };
    }
    let Some(Node { kind: Kind::Hash(pairs), .. }) = call.args.last() else { return None };
    if !matches!(name, "find" | "all" | "first" | "last" | "count" | "paginate" | "exists?") {
        return None;
    }
    let value = &pairs.iter().find(|p| literal_name(&p.key).is_some_and(|k| k == "conditions"))?.value;
    match &value.kind {
        Kind::Array(items) if items.len() == 1 => Some((&items[0], false)),
        Kind::Interp(_) | Kind::Call(_) => Some((value, true)),
        _ => None,
    }
}

/// A quoted string of SQL on the way.
#[derive(Default)]
struct Quoted {
    /// As it is written in Ruby.
    written: String,
    codes: Vec<String>,
    fixed: bool,
}

fn bind(context: &Context<'_, '_>, file: FileId, pieces: &[Piece<'_>]) -> Option<(String, Vec<String>)> {
    let mut sql = String::new();
    let mut values = Vec::new();
    let mut quoted: Option<Quoted> = None;
    for (number, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                let mut chars = text.chars().peekable();
                while let Some(c) = chars.next() {
                    match (c, &mut quoted) {
                        // Another placeholder, or an operator that looks like one.
                        ('?', _) => return None,
                        ('\'', None) => quoted = Some(Quoted::default()),
                        ('\'', Some(_)) if chars.peek() == Some(&'\'') => return None,
                        ('\'', Some(_)) => {
                            let done = quoted.take()?;
                            match (done.codes.as_slice(), done.fixed) {
                                ([], _) => sql.push_str(&format!("'{}'", done.written)),
                                ([code], false) => {
                                    sql.push('?');
                                    values.push(code.clone());
                                }
                                _ => {
                                    sql.push('?');
                                    values.push(format!("\"{}\"", done.written));
                                }
                            }
                        }
                        ('\\', Some(_)) => return None,
                        ('\\', None) => {
                            sql.push(c);
                            sql.extend(chars.next());
                        }
                        (c, Some(open)) => {
                            open.written.push(c);
                            open.fixed = true;
                        }
                        (c, None) => sql.push(c),
                    }
                }
            }
            Piece::Code(node, source) => {
                if let Some(open) = &mut quoted {
                    if is_prepared(node) {
                        return None;
                    }
                    let list = whole_list(pieces, number, &sql, open).filter(|_| joined(node) == Some("','"));
                    let code = match (list, joined(node)) {
                        (Some(()), _) => receiver(context, file, node)?,
                        (None, None) => source.clone(),
                        (None, Some(_)) => return None,
                    };
                    open.written.push_str(&format!("#{{{source}}}"));
                    open.codes.push(code);
                } else if is_name(node) {
                    sql.push_str(&format!("#{{{source}}}"));
                } else if is_bare_value(node, &sql, pieces.get(number + 1)) {
                    sql.push('?');
                    values.push(source.clone());
                } else if in_list(&sql)
                    && follows(pieces.get(number + 1), ')')
                    && joined(node).is_some_and(|by| by.trim() == ",")
                {
                    sql.push('?');
                    values.push(receiver(context, file, node)?);
                } else {
                    return None;
                }
            }
        }
    }
    // A statement that is one value all through is not a condition with a value in it.
    (quoted.is_none() && !values.is_empty() && sql.contains(char::is_whitespace)).then_some((sql, values))
}

/// What the code has quoted, escaped or put together itself: a placeholder would do it twice.
fn is_prepared(node: &Node) -> bool {
    calls(node, &|name| {
        ["quot", "escap", "sanit", "sub", "to_sql", "to_json", "inspect", "format", "connection", "sql"]
            .iter()
            .any(|w| name.contains(w))
    })
}

/// Names of the schema, which cannot be values.
fn is_name(node: &Node) -> bool {
    match &node.kind {
        Kind::Const(_) => true,
        // Of a class that the code names: a parameter's would stay a doubt.
        Kind::Call(call) => {
            matches!(call.name.as_str(), "table_name" | "quoted_table_name")
                && call.recv.as_ref().is_none_or(|r| match &root(r).kind {
                    Kind::Const(_) | Kind::SelfRef => true,
                    Kind::Call(c) => c.recv.is_none() && c.args.is_empty() && c.name == "class",
                    _ => false,
                })
        }
        _ => false,
    }
}

/// `id = #{params[:id]}`: a number or the like, compared as it is.
fn is_bare_value(node: &Node, sql: &str, next: Option<&Piece<'_>>) -> bool {
    let numeric = match &node.kind {
        Kind::Call(call) => {
            matches!(call.name.as_str(), "id" | "to_i" | "to_f") || call.name.ends_with("_id")
        }
        Kind::Local(name) | Kind::Ivar(name) => name.ends_with("_id") || name.trim_start_matches('@') == "id",
        _ => false,
    };
    let compared = sql.trim_end().ends_with(['=', '<', '>']);
    let whole = match next {
        None => true,
        Some(Piece::Text(text)) => text.is_empty() || text.starts_with([' ', ')', '\n']),
        Some(Piece::Code(..)) => false,
    };
    compared && whole && (numeric || of_params(node)) && !is_prepared(node) && joined(node).is_none()
}

/// `IN (` stands in front.
fn in_list(sql: &str) -> bool {
    let before = sql.trim_end().to_ascii_lowercase();
    before.strip_suffix('(').is_some_and(|b| b.trim_end().ends_with(" in"))
}

fn follows(next: Option<&Piece<'_>>, wanted: char) -> bool {
    matches!(next, Some(Piece::Text(text)) if text.trim_start().starts_with(wanted))
}

/// `IN ('#{names.join("','")}')`: the quotes round the whole list.
fn whole_list(pieces: &[Piece<'_>], number: usize, sql: &str, open: &Quoted) -> Option<()> {
    let closed = matches!(pieces.get(number + 1), Some(Piece::Text(text)) if text.strip_prefix('\'').is_some_and(|t| t.trim_start().starts_with(')')));
    (in_list(sql) && closed && open.written.is_empty()).then_some(())
}

/// What a list is joined by.
fn joined(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Call(call) if call.name == "join" => match call.args.as_slice() {
            [Node { kind: Kind::Str(by), .. }] => Some(by),
            _ => Some(""),
        },
        _ => None,
    }
}

/// The list that is joined, if it is plain.
fn receiver(context: &Context<'_, '_>, file: FileId, node: &Node) -> Option<String> {
    let Kind::Call(call) = &node.kind else { return None };
    let list = call.recv.as_ref()?;
    (is_plain(context, file, list) && !is_prepared(list)).then(|| context.source(file, list.span))
}
