//! The session's cookie.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_rails::config::SettingValue;
use wardroom_ruby::ir::Span;

use super::place;
use crate::context::Context;
use crate::mend::{self, Mend};

wardroom_model::rule! {
    /// The session cookie can be read by scripts (`httponly: false`), travels over plain HTTP, or is
    /// sent along from other sites (`same_site: :none`).
    ///
    /// ## Why it is bad
    ///
    /// The session cookie is the login. Whoever reads it, in a script or on the network, is the user.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Rails.application.config.session_store :cookie_store, key: "_app", httponly: false
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Rails.application.config.session_store :cookie_store, key: "_app", secure: Rails.env.production?, same_site: :lax
    /// config.force_ssl = true
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-614: Sensitive Cookie in HTTPS Session Without 'Secure' Attribute
    /// - CWE-1004: Sensitive Cookie Without 'HttpOnly' Flag
    rule: "session-cookie-flags", "A session cookie without its flags", Configuration, 614, Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N"
}

/// Looks at the settings of the session.
pub fn run(context: &Context<'_, '_>) {
    let config = &context.app.config;
    let Some(session) = config.session() else { return };
    if matches!(session.store.as_deref(), Some("disabled" | "nil")) {
        return;
    }
    let (file, span) = (FileId(session.file), session.span);
    let off = |value: Option<&SettingValue>| matches!(value, Some(SettingValue::Bool(false)));
    if off(session.option("httponly")) {
        context
            .finding(
                rule(),
                file,
                span,
                "The session cookie is set with `httponly: false`: any script on a page can read it",
            )
            .confidence(Confidence::High)
            .remedy("Take `httponly: false` out; Rails then sets the flag.")
            .mend(
                mend::keyword_span(context, file, span, &["httponly", "http_only", "session_http_only"])
                    // Without `secure` the next finding would come up.
                    .filter(|_| session.option("secure").is_some() || !is_open(context))
                    .map(|at| mend::replace("Hides the cookie from scripts", file, at, "true"))
                    .or_else(|| both(context, file, span)),
            )
            .report();
    } else if off(session.option("secure")) {
        context
            .finding(
                rule(),
                file,
                span,
                "The session cookie is set with `secure: false`: it travels over plain HTTP too",
            )
            .confidence(Confidence::High)
            .remedy("Set `secure: Rails.env.production?`, or `config.force_ssl = true`.")
            .mend(
                mend::keyword_span(context, file, span, &["secure"])
                    .filter(|_| context.app.rails() >= (3, 0))
                    .map(|at| {
                        mend::replace("Sends the cookie by TLS alone", file, at, "Rails.env.production?")
                    }),
            )
            .report();
    } else if session.option("secure").is_none() && is_open(context) {
        context
                .finding(rule(), file, span, "The session cookie is not marked `secure`, and TLS is not forced: it travels over plain HTTP too")
                .confidence(Confidence::Medium)
                .severity(Severity::Low)
                .remedy("Set `config.force_ssl = true` in production, or `secure: Rails.env.production?` for the session.")
                .report();
    }
    if let Some(value) = session.option("same_site")
        && value.as_text().is_some_and(|t| t.eq_ignore_ascii_case("none"))
    {
        context
            .finding(
                rule(),
                file,
                span,
                "The session cookie is sent along from every other site (`same_site: :none`)",
            )
            .confidence(Confidence::Medium)
            .severity(Severity::Low)
            .remedy("Use `same_site: :lax` unless pages are embedded in other sites on purpose.")
            .report();
    }
}

/// Whether production may be reached without TLS. Where TLS may be forced, by a variable or a
/// middleware, Rails marks the cookie itself.
fn is_open(context: &Context<'_, '_>) -> bool {
    let ssl = context.app.config.force_ssl();
    ssl.as_ref().is_none_or(|f| f.certain && f.value.as_bool() != Some(true))
        && place::production(context).is_some()
}

/// `httponly: false` made true, and `secure` beside it.
fn both(context: &Context<'_, '_>, file: FileId, span: Span) -> Option<Mend> {
    const TITLE: &str = "Hides the cookie from scripts and sends it by TLS alone";
    if context.app.rails() < (3, 0) {
        return None;
    }
    let at = mend::keyword_span(context, file, span, &["httponly"])?;
    let mut mend = mend::replace(TITLE, file, at, "true");
    let hash = mend::last_argument(context, file, span)?;
    mend.1.extend(mend::add_options(context, TITLE, file, hash, &[("secure", "Rails.env.production?")])?.1);
    Some(mend)
}
