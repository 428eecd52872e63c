//! Routes that let the request choose controller and action.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;

use crate::context::Context;

wardroom_model::rule! {
    /// A route takes the names of controller and action from the path, so that every public method of
    /// every controller answers, to every HTTP method.
    ///
    /// ## Why it is bad
    ///
    /// Methods that were never meant as actions can be called, and actions that change something
    /// answer a plain link: the protection against forged requests does not look at GET.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// map.connect ':controller/:action/:id'
    /// match ':controller(/:action(/:id))'
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// resources :articles, only: [:index, :show]
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-650: Trusting HTTP Permission Methods on the Server Side
    /// - Rails guide "Rails Routing from the Outside In"
    rule: "default-route", "Route that lets the request choose the action", Access, 650, Medium
}

/// Looks at every route.
pub fn run(context: &Context<'_, '_>) {
    let mut seen = std::collections::HashSet::new();
    for route in context.app.routes.routes.iter().filter(|r| r.is_wildcard() && !r.development) {
        if !seen.insert((route.file, route.span)) {
            continue;
        }
        let target = route.target.to_string();
        let every = target.starts_with(":controller");
        let (confidence, severity) =
            if every { (Confidence::High, Severity::Medium) } else { (Confidence::Low, Severity::Low) };
        context
            .finding(
                rule(),
                FileId(route.file),
                route.span,
                if every {
                    format!("`{}` reaches every public method of every controller", route.path)
                } else {
                    format!("`{}` lets the request choose among the public methods of `{target}`", route.path)
                },
            )
            .confidence(confidence)
            .severity(severity)
            .remedy("Declare the routes that are meant, each with its HTTP method.")
            .report();
    }
}
