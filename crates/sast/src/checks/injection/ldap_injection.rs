//! LDAP filters and names built from what a user sends.

use wardroom_flow::{Mark, SourceKind};
use wardroom_model::Confidence;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// Text that a user controls becomes part of an LDAP filter or of the name under which a search begins.
    ///
    /// ## Why it is bad
    ///
    /// Parentheses, `*` and `|` in the value change what the filter asks: a login matches another account, or
    /// a search gives away entries that it was meant to leave out.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// filter = Net::LDAP::Filter.construct("(uid=#{params[:login]})")
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// filter = Net::LDAP::Filter.equals("uid", params[:login])
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-90: Improper Neutralization of Special Elements used in an LDAP Query
    /// - RFC 4515, section 3: escaping in filters
    rule: "ldap-injection", "LDAP filter built from what a user sends", Injection, 90, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N"
}

/// Looks at every flow into a filter or a base.
pub fn run(context: &Context<'_, '_>) {
    let gems = &context.app.gems;
    let directory = [
        "net-ldap",
        "ruby-net-ldap",
        "ruby-ldap",
        "activeldap",
        "activeldap3",
        "ladle",
        "omniauth-ldap",
        "devise_ldap_authenticatable",
        "ldap_fluff",
    ];
    let known = directory.iter().any(|g| gems.has(g));
    for flow in place::flows(context, Mark::Ldap) {
        // `search(filter: …)` is a word of many libraries.
        let general = !matches!(
            flow.method.as_str(),
            "construct"
                | "from_rfc2254"
                | "from_rfc4515"
                | "eq"
                | "ne"
                | "ex"
                | "search2"
                | "search_ext2"
                | "bind_as"
        );
        let here = context.file(flow.file).path.to_lowercase().contains("ldap")
            || context.source(flow.file, flow.span).to_lowercase().contains("ldap");
        if general && !(known && here) {
            continue;
        }
        // A value in `eq` cannot end the filter, but `*` in it matches anything.
        let wildcard = matches!(flow.method.as_str(), "eq" | "ne" | "ex") && !place::is_built(&flow.steps);
        // A whole filter or base that is stored is a setting of the directory.
        let setting = flow.source == SourceKind::Stored && !place::is_built(&flow.steps);
        let message = match wildcard {
            true => format!("`{}` stands in an LDAP comparison, where `*` matches anything", flow.words),
            false => format!("`{}` becomes part of the LDAP query given to `{}`", flow.words, flow.method),
        };
        let finding = context
            .flow_finding(rule(), flow, message)
            .remedy("Compare with `Net::LDAP::Filter.equals`, or put the value through `Net::LDAP::Filter.escape` first.");
        if wildcard || setting { finding.at_most(Confidence::Low).report() } else { finding.report() }
    }
}
