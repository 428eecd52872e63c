//! JSON that keeps `<` and `>`.

use wardroom_model::{Confidence, Severity};

use super::place;
use crate::context::Context;
use crate::mend;

wardroom_model::rule! {
    /// `escape_html_entities_in_json` is switched off: `to_json` leaves `<`, `>` and `&` as they are.
    ///
    /// ## Why it is bad
    ///
    /// JSON that a page writes into a script tag can end that tag with `</script>` and go on with a
    /// script of its own.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// ActiveSupport.escape_html_entities_in_json = false
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// ActiveSupport.escape_html_entities_in_json = true
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-79: Improper Neutralization of Input During Web Page Generation
    rule: "json-escape-off", "JSON that can end a script tag", Configuration, 79, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
}

/// Looks at the setting.
pub fn run(context: &Context<'_, '_>) {
    let keys = [
        "active_support.escape_html_entities_in_json",
        "escape_html_entities_in_json",
        "active_support/json/encoding.escape_html_entities_in_json",
        "active_support/json.escape_html_entities_in_json",
    ];
    for key in keys {
        let Some(escape) = context.app.config.effective(key) else { continue };
        if escape.value.as_bool() == Some(false)
            && let Some(setting) = escape.setting
        {
            let (file, span) = place::of(setting);
            context
                .finding(rule(), file, span, "`to_json` does not escape `<`, `>` and `&`")
                .confidence(if place::has_pages(context) { Confidence::Medium } else { Confidence::Low })
                .severity(Severity::Medium)
                .remedy(
                    "Take the line out; where one answer needs raw characters, use `JSON.generate` there.",
                )
                .mend(
                    mend::value_in_setting(context, file, span, "false")
                        .map(|at| mend::replace("Escapes `<`, `>` and `&` in JSON", file, at, "true")),
                )
                .report();
            return;
        }
    }
}
