//! Numbers that name a person or an account, shown whole.

use std::collections::{BTreeSet, HashMap};

use wardroom_model::Confidence;
use wardroom_rails::{ColumnType, FileId, literal_name};
use wardroom_ruby::ir::{HtmlContext, Kind, Name, Node, Out};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place::keyword;
use super::record;
use crate::context::Context;

wardroom_model::rule! {
    /// A page or an answer holds a social security number, a payment card's number, a bank account's
    /// number or the like whole, not shortened to its last digits.
    ///
    /// ## Why it is bad
    ///
    /// Whoever sees the page, its cache, a screenshot or one answer through another weakness has the
    /// number. People seldom need more of it than enough to recognise it.
    ///
    /// ## Example
    ///
    /// ```erb
    /// <td><%= @employee.ssn %></td>
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```erb
    /// <td>***-**-<%= @employee.ssn.last(4) %></td>
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-359: Exposure of Private Personal Information to an Unauthorized Actor
    /// - OWASP Top Ten 2021, A04 Insecure Design
    rule: "personal-data-shown", "Personal number shown whole", DataAndCryptography, 359, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N"
}

/// Looks at what templates and JSON answers write.
pub fn run(context: &Context<'_, '_>) {
    let columns = columns(context);
    if columns.is_empty() {
        return;
    }
    let names: Vec<&str> = columns.keys().map(|n| n.as_str()).collect();
    // Only templates that name such a column are walked.
    let mut templates: BTreeSet<FileId> = BTreeSet::new();
    context.calls_named(&names, |file, _, call| {
        if call.recv.is_some() && call.args.is_empty() && context.file(file).is_template() {
            templates.insert(file);
        }
    });
    for file in templates {
        template(context, &columns, file, &context.file(file).parsed.body, false);
    }
    context.calls_named(&["render"], |file, _, call| {
        if let (None, Some(value)) = (&call.recv, keyword(call, "json"))
            && let Kind::Hash(pairs) = &value.kind
        {
            pairs.iter().for_each(|p| shown(context, &columns, file, &p.value, None, false));
        }
    });
}

/// Looks at what a template writes; `asked` where a condition decides who may see it.
fn template(
    context: &Context<'_, '_>,
    columns: &HashMap<Name, Vec<Name>>,
    file: FileId,
    node: &Node,
    asked: bool,
) {
    let mut asked = asked;
    match &node.kind {
        Kind::If(branch) => asked |= lets_see(&branch.cond),
        Kind::Out(out) => shown(context, columns, file, &out.value, Some(out), asked),
        // jbuilder: `json.ssn @employee.ssn`
        Kind::Call(call) if matches!(&call.recv, Some(Node { kind: Kind::Call(to), .. }) if to.name == "json" && to.recv.is_none()) =>
        {
            call.args.iter().for_each(|a| shown(context, columns, file, a, None, asked));
        }
        _ => {}
    }
    walk::children(node, &mut |child| template(context, columns, file, child, asked));
}

/// Whether a condition asks who looks, or whether they want to see it whole.
fn lets_see(condition: &Node) -> bool {
    let mut found = false;
    walk::each(condition, &mut |node| {
        if let Kind::Call(_) | Kind::Ivar(_) | Kind::Local(_) = &node.kind
            && let Some(name) = match &node.kind {
                Kind::Call(call) => Some(call.name),
                _ => naming::of(node),
            }
        {
            found |= [
                "show", "reveal", "mask", "visible", "can?", "can_", "allowed", "policy", "admin", "auditor",
                "permi",
            ]
            .iter()
            .any(|w| name.contains(w));
        }
        !found
    });
    found
}

/// The columns of personal numbers, with the models that have them.
fn columns(context: &Context<'_, '_>) -> HashMap<Name, Vec<Name>> {
    let mut out: HashMap<Name, Vec<Name>> = HashMap::new();
    let personal = |name: &str| naming::secret(name) == Some(Secret::Personal);
    for model in context.app.models.values() {
        for (column, kind) in &model.columns {
            if matches!(
                kind,
                ColumnType::String | ColumnType::Text | ColumnType::Integer | ColumnType::Binary
            ) && personal(column)
            {
                out.entry(*column).or_default().push(model.class);
            }
        }
    }
    // Encrypted at rest under another column's name, and read like this.
    context.calls_named(
        &["encrypts", "attr_encrypted", "has_encrypted", "lockbox_encrypts", "attr_encryptor"],
        |file, node, call| {
            if call.recv.is_some() {
                return;
            }
            let class = context.app.models.keys().copied().find(|c| {
                context.app.index.class(*c).is_some_and(|c| {
                    c.places
                        .iter()
                        .any(|(f, s, _)| *f == file && s.start <= node.span.start && node.span.end <= s.end)
                })
            });
            for name in call.args.iter().filter_map(literal_name).filter(|n| personal(n)) {
                out.entry(name).or_default().extend(class);
            }
        },
    );
    out
}

fn shown(
    context: &Context<'_, '_>,
    columns: &HashMap<Name, Vec<Name>>,
    file: FileId,
    value: &Node,
    out: Option<&Out>,
    asked: bool,
) {
    let Some((node, recv, name)) = whole(value, columns, 0) else { return };
    let holders = &columns[&name];
    let site = record::site(context, file, node.span);
    let found = record::of(context, site, recv);
    if found.is_some_and(|f| !holders.contains(&f.class)) {
        return;
    }
    // In a form people see and change what they have entered.
    let field = out.is_some_and(|o| !matches!(o.context, HtmlContext::Text | HtmlContext::NotHtml));
    // Who pays out or checks has to see what is paid to.
    let path = &context.file(file).path;
    let office = path.contains("mailer") || path.contains("views/admin/") || path.contains("/admin/");
    context
        .finding(rule(), file, node.span, format!("`{}` is shown whole", context.source(file, node.span)))
        .confidence(if field || office || asked { Confidence::Low } else { Confidence::Medium })
        .reason("who sees the page may need the whole number")
        .remedy("Show the last digits only (`last(4)`), by a method of the model's own.")
        .report();
}

/// The personal number that an expression writes as it is.
fn whole<'a>(
    node: &'a Node,
    columns: &HashMap<Name, Vec<Name>>,
    depth: u32,
) -> Option<(&'a Node, &'a Node, Name)> {
    if depth > 6 {
        return None;
    }
    let deeper = |node: &'a Node| whole(node, columns, depth + 1);
    match &node.kind {
        Kind::Seq(items) if items.len() == 1 => deeper(&items[0]),
        Kind::Or(sides) => deeper(&sides.0).or_else(|| deeper(&sides.1)),
        Kind::And(sides) => deeper(&sides.1),
        Kind::If(branch) => deeper(&branch.then).or_else(|| deeper(&branch.otherwise)),
        Kind::Interp(interp) => interp.parts.iter().find_map(deeper),
        Kind::Call(call) => {
            let recv = call.recv.as_ref();
            match call.name.as_str() {
                "to_s" | "strip" | "presence" | "html_safe" | "squish" | "upcase" | "to_str" => deeper(recv?),
                "+" => deeper(recv?).or_else(|| call.args.first().and_then(deeper)),
                "h" | "raw" | "content_tag" | "simple_format" | "safe_join" | "html_escape"
                    if recv.is_none() =>
                {
                    call.args.iter().find_map(deeper)
                }
                "try" | "public_send" | "read_attribute" | "[]" => {
                    let name = call.args.first().and_then(literal_name)?;
                    let recv = recv.filter(|_| call.args.len() == 1)?;
                    let constant = matches!(&recv.kind, Kind::Const(_));
                    let params = matches!(&recv.kind, Kind::Call(c) if c.name == "params");
                    (columns.contains_key(&name) && !constant && !params).then_some((node, recv, name))
                }
                _ => {
                    let recv = recv.filter(|r| !matches!(r.kind, Kind::Const(_)))?;
                    (call.args.is_empty() && call.block.is_none() && columns.contains_key(&call.name))
                        .then_some((node, recv, call.name))
                }
            }
        }
        _ => None,
    }
}
