//! Secrets in the URL.

use wardroom_model::{Confidence, Severity, Verb};
use wardroom_ruby::ir::{Kind, Node};
use wardroom_ruby::walk;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A form with a password is sent by GET, or an action that only answers GET reads one.
    ///
    /// ## Why it is bad
    ///
    /// What stands in a URL is kept in the browser's history, in the logs of every server and proxy
    /// on the way, and is told to other sites in the Referer header.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// get "login", to: "sessions#create"   # reads params[:password]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// post "login", to: "sessions#create"
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-598: Use of GET Request Method With Sensitive Query Strings
    rule: "sensitive-data-in-get", "A secret sent in the URL", DataAndCryptography, 598, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N"
}

/// Looks at endpoints and at forms.
pub fn run(context: &Context<'_, '_>) {
    let mut told: Vec<wardroom_rails::MethodId> = Vec::new();
    let mut answered: Vec<_> = context.app.endpoints_of.iter().collect();
    answered.sort_by_key(|(id, _)| **id);
    for (id, endpoints) in answered {
        if endpoints.is_empty() || endpoints.iter().any(|e| e.verb != Verb::Get) || told.contains(id) {
            continue;
        }
        let method = context.app.index.method(*id);
        let mut found: Option<(&Node, Secret)> = None;
        walk::each(method.body, &mut |node| {
            if let Kind::Call(call) = &node.kind
                && call.name == "[]"
                && matches!(call.recv.as_ref().map(|r| &r.kind), Some(Kind::Call(p)) if p.name == "params" && p.recv.is_none())
                && let Some(name) = naming::of(node)
                && let Some(secret) = naming::secret(&name)
                && !endpoints.iter().any(|e| e.path.contains(&format!(":{name}")))
                && found.is_none_or(|f| secret < f.1)
            {
                found = Some((node, secret));
            }
            true
        });
        let Some((node, secret)) = found else { continue };
        let (confidence, severity) = match secret {
            Secret::Password | Secret::Personal => (Confidence::Medium, Severity::Medium),
            _ => (Confidence::Low, Severity::Low),
        };
        told.push(*id);
        context
            .finding(
                rule(),
                method.file,
                node.span,
                format!(
                    "`{}` is read from a GET request, so it stands in the URL",
                    context.source(method.file, node.span)
                ),
            )
            .confidence(confidence)
            .severity(severity)
            .endpoints(endpoints.clone())
            .remedy("Take it by POST, in the body of the request, or in a header.")
            .report();
    }
    let hint = place::hint!("password_field");
    place::calls(context, hint, &mut |id, node, call| {
        let form = matches!(
            call.name.as_str(),
            "form_tag" | "form_for" | "form_with" | "simple_form_for" | "form_remote_tag"
        );
        let by_get = place::keyword(call, "method")
            .and_then(wardroom_rails::literal_name)
            .is_some_and(|m| m.eq_ignore_ascii_case("get"));
        if !form || !by_get {
            return;
        }
        let Some(block) = &call.block else { return };
        let mut asks = false;
        walk::each(&block.body, &mut |inner| {
            asks |= matches!(&inner.kind, Kind::Call(c) if matches!(c.name.as_str(), "password_field" | "password_field_tag"));
            !asks
        });
        if asks {
            context
                .finding(rule(), id, node.span, "The form sends a password by GET")
                .confidence(Confidence::High)
                .severity(Severity::Medium)
                .remedy("Take `method: :get` out, and route the form's target as POST.")
                .report();
        }
    });
}
