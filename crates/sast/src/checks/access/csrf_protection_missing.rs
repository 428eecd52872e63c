//! Base controllers that never turn the protection against forged requests on.

use wardroom_model::Confidence;
use wardroom_rails::Habitat;
use wardroom_ruby::ir::Name;

use crate::context::Context;

wardroom_model::rule! {
    /// A controller descends from `ActionController::Base` and neither it nor the settings turn on
    /// `protect_from_forgery`, on a version of Rails that does not do so by itself.
    ///
    /// ## Why it is bad
    ///
    /// A page of another site can make a visitor's browser send a form to the application; the
    /// browser adds the session cookie, and the application takes the request for the visitor's own.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class ApplicationController < ActionController::Base
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// class ApplicationController < ActionController::Base
    ///   protect_from_forgery with: :exception
    /// end
    /// ```
    ///
    /// From Rails 5.2 on, `config.load_defaults 5.2` does it for every controller.
    ///
    /// ## References
    ///
    /// - CWE-352: Cross-Site Request Forgery
    rule: "csrf-protection-missing", "Controllers without protection against forged requests", Access, 352, High,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N"
}

/// Looks at every class right below the framework's base.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    if by_default(context) {
        return;
    }
    let practice = context.practice();
    let mut on_base = false;
    context.calls_named(&["protect_from_forgery"], |_, _, call| {
        on_base |= call.recv.as_ref().and_then(super::practice::constant).is_some();
    });
    if on_base {
        return;
    }
    for controller in practice.controllers() {
        let Some(class) = app.index.class(controller.class) else { continue };
        if class.superclass.is_none_or(|s| s != "ActionController::Base") {
            continue;
        }
        let protects = |name: Name| {
            app.index.macros(name).iter().any(|m| {
                matches!(m.call.name.as_str(), "protect_from_forgery" | "verify_authenticity_token")
                    || m.call.name.contains("before_")
                        && m.call.args.iter().filter_map(wardroom_rails::literal_name).any(|n| {
                            n.contains("csrf") || n.contains("authenticity") || n.contains("forgery")
                        })
            })
        };
        if protects(controller.class) {
            continue;
        }
        let Some((file, _, name_span)) = class.places.first().copied() else { continue };
        let descendants: Vec<_> = practice
            .controllers()
            .into_iter()
            .filter(|c| {
                c.class == controller.class || practice.ancestors(c.class).contains(&controller.class)
            })
            .collect();
        let open: Vec<_> =
            descendants.iter().filter(|c| c.class == controller.class || !protects(c.class)).collect();
        let changing: Vec<_> =
            open.iter().flat_map(|c| practice.actions(c)).filter(|a| a.by_change()).collect();
        let routed = !app.endpoints.is_empty();
        if routed && changing.is_empty() {
            continue;
        }
        // Does it know its callers by the cookie?
        let cookies = practice
            .ancestors(controller.class)
            .iter()
            .filter_map(|c| app.index.class(*c))
            .filter(|c| {
                c.places.first().is_some_and(|p| {
                    app.habitat(c.name, p.0) == Habitat::Controller || app.file(p.0).path.contains("lib/")
                })
            })
            .flat_map(|c| c.methods.values())
            .any(|id| practice.facts(*id).session)
            || open.iter().any(|c| {
                c.filters.iter().any(|f| {
                    !f.skip
                        && f.name.is_some_and(|n| {
                            matches!(n.as_str(), "authenticate_user!" | "require_login" | "login_required")
                        })
                })
            });
        let application = controller.class.ends_with("ApplicationController");
        let confidence = match (application, cookies) {
            (true, true) => Confidence::High,
            (true, false) | (false, true) => Confidence::Medium,
            (false, false) => Confidence::Low,
        };
        context
            .finding(rule(), file, name_span, format!("`{}` and the {} controllers below it take forged requests: `protect_from_forgery` is nowhere", controller.class, open.len().saturating_sub(1)))
            .confidence(confidence)
            .reason(if cookies { "it reads the session, so browsers vouch for the caller" } else { "nothing in it reads the session: it may know its callers by a token" })
            .remedy("Add `protect_from_forgery with: :exception`; let only requests that carry a token of their own go without.")
            .endpoints(changing.into_iter().flat_map(|a| a.endpoints).take(50).collect())
            .report();
    }
}

/// Whether Rails protects every controller by itself.
fn by_default(context: &Context<'_, '_>) -> bool {
    let config = &context.app.config;
    if config.flag("action_controller.allow_forgery_protection") == Some(false)
        && config
            .effective("action_controller.allow_forgery_protection")
            .is_some_and(|e| e.setting.is_some() && e.certain)
    {
        return false;
    }
    config.flag("action_controller.default_protect_from_forgery").unwrap_or(false)
}
