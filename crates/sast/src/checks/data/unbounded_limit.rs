//! Page sizes that a user sets without a cap.

use wardroom_flow::{Flow, Mark, SourceKind};
use wardroom_model::{Confidence, FilterRole, Severity};
use wardroom_rails::FileId;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// How many rows are loaded is taken from the request without an upper bound.
    ///
    /// ## Why it is bad
    ///
    /// One request for a million rows fills the memory of a process and keeps the database busy.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Post.page(params[:page]).per(params[:per_page])
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Post.page(params[:page]).per(params[:per_page].to_i.clamp(1, 100))
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-770: Allocation of Resources Without Limits or Throttling
    rule: "unbounded-limit", "A page size without an upper bound", DenialOfService, 770, Low,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"
}

const REMEDY: &str = "Bound it: `params[:per_page].to_i.clamp(1, 100)`.";

/// How many files are told at medium confidence; the same habit elsewhere is told on request.
const TOLD: usize = 5;

/// Looks at flows into limits, and at numbers from the request that go straight there.
pub fn run(context: &Context<'_, '_>) {
    let capped = context
        .app
        .config
        .settings
        .iter()
        .any(|s| s.key.ends_with("max_per_page") || s.key.ends_with("max_limit"));
    let mut files: Vec<FileId> = Vec::new();
    // The first place of a file stands for the others; pages for administrators come second.
    let mut confidence = |id: FileId| {
        let admin = context.file(id).path.split('/').any(|part| part.contains("admin"));
        let first = !files.contains(&id) && !admin;
        if first {
            files.push(id);
        }
        if first && files.len() <= TOLD { Confidence::Medium } else { Confidence::Low }
    };
    for flow in context.flows_to(Mark::Limit) {
        if !matches!(flow.source, SourceKind::Params | SourceKind::Request | SourceKind::Cookie)
            || capped && flow.method != "limit"
            || flow.words.ends_with("[:page]")
        {
            continue;
        }
        context
            .flow_finding(rule(), flow, format!("`{}` decides how many rows are loaded", flow.words))
            .at_most(if flow.words == "params" || behind_login(flow) {
                Confidence::Low
            } else {
                confidence(flow.file)
            })
            .severity(Severity::Low)
            .remedy(REMEDY)
            .report();
    }
    let hint = place::hint!(r"\.(?:limit|per)[ (]|per_page");
    place::calls(context, hint, &mut |id, node, call| {
        let value = match call.name.as_str() {
            "limit" | "per" if call.recv.is_some() && call.args.len() == 1 => call.args.first(),
            "paginate" | "page" => place::keyword(call, "per_page"),
            _ => None,
        };
        let Some(value) = value else { return };
        if place::number_of_params(value) && !(capped && call.name != "limit") {
            context
                .finding(
                    rule(),
                    id,
                    node.span,
                    format!("`{}` decides how many rows are loaded", context.source(id, value.span)),
                )
                .confidence(confidence(id))
                .severity(Severity::Low)
                .remedy(REMEDY)
                .report();
        }
    });
}

/// Whether only who has signed in gets there: then it is a habit to know of, no way to bring the
/// server down from outside.
fn behind_login(flow: &Flow) -> bool {
    !flow.endpoints.is_empty() && flow.endpoints.iter().all(|e| e.guarded_by(FilterRole::Authentication))
}
