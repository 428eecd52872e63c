//! Tools of developers and operators that production has.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::FileId;
use wardroom_rails::routes::Target;

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// A console gem stands in the gems of production, or a dashboard (Sidekiq, PgHero, GraphiQL,
    /// mail previews …) is mounted without anything that asks who comes.
    ///
    /// ## Why it is bad
    ///
    /// Consoles run code. Dashboards show job arguments, queries, mails and personal data, and let a
    /// visitor delete or retry jobs.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// mount Sidekiq::Web => "/sidekiq"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// authenticate :user, ->(user) { user.admin? } do
    ///   mount Sidekiq::Web => "/sidekiq"
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-489: Active Debug Code
    /// - CWE-306: Missing Authentication for Critical Function
    rule: "development-tools-in-production", "A tool of developers that production has", Configuration, 489, Medium,
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:L"
}

/// Gems, what they do in production, and whether they run code for a visitor.
const GEMS: &[(&str, &str, bool)] = &[
    ("web-console", "opens a console on error pages", true),
    ("better_errors", "opens a console on error pages", true),
    ("binding_of_caller", "lets error pages look into frames", false),
    ("letter_opener_web", "shows every mail that is sent", false),
    ("rails-footnotes", "writes the inside of the application into pages", false),
];

/// Dashboards by constant, and whether they ask for a password by themselves.
const MOUNTS: &[(&str, &str)] = &[
    ("Sidekiq::Web", "jobs and their arguments"),
    ("Resque::Server", "jobs and their arguments"),
    ("DelayedJobWeb", "jobs and their arguments"),
    ("GoodJob::Engine", "jobs and their arguments"),
    ("SolidQueueDashboard::Engine", "jobs and their arguments"),
    ("Que::Web", "jobs and their arguments"),
    ("PgHero::Engine", "queries and the database's inside"),
    ("Blazer::Engine", "the whole database by SQL"),
    ("RailsDb::Engine", "the whole database by SQL"),
    ("LetterOpenerWeb::Engine", "every mail that is sent"),
    ("GraphiQL::Rails::Engine", "a query editor for the API"),
    ("GraphqlPlayground::Rails::Engine", "a query editor for the API"),
    ("Flipper::UI", "the feature switches"),
    ("Split::Dashboard", "the running experiments"),
    ("Rollout::UI::Web", "the feature switches"),
    ("Coverband::Reporters::Web", "the code in use"),
    ("MailPreview", "previews of mails"),
    ("ExceptionTrack::Engine", "errors with their data"),
    ("RailsPerformance::Engine", "requests and their times"),
    ("Logster::Web", "the log"),
];

/// Looks at the Gemfile and at the mounts.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    let mut declared: Vec<_> = app.gems.declared.iter().collect();
    declared.sort_by_key(|(name, _)| (*name).clone());
    for (name, gem) in declared {
        let Some((_, what, runs)) = GEMS.iter().find(|g| g.0 == name) else { continue };
        if !app.gems.loads(gem)
            || gem.conditional
            || !context.file(FileId(gem.file)).path.ends_with("Gemfile")
        {
            continue;
        }
        context
            .finding(
                rule(),
                FileId(gem.file),
                gem.span,
                format!("`{name}` {what} and stands in the gems of production"),
            )
            .confidence(if *runs { Confidence::Medium } else { Confidence::Low })
            .severity(if *runs { Severity::Medium } else { Severity::Low })
            .remedy("Move it to `group :development`.")
            .report();
    }
    for route in &app.routes.routes {
        let Target::Mount { app: mounted } = &route.target else { continue };
        if route.authenticated || !route.guards.is_empty() || route.development {
            continue;
        }
        let Some((class, what)) =
            MOUNTS.iter().find(|(class, _)| mounted.trim_start_matches("::").starts_with(class))
        else {
            continue;
        };
        let own = asks_itself(context, class);
        let only_demo = class.starts_with("GraphiQL")
            || class.starts_with("Graphql")
            || class.starts_with("LetterOpener");
        let confidence = match (own, only_demo) {
            (true, _) => continue,
            (false, true) => Confidence::Medium,
            (false, false) => Confidence::High,
        };
        context
            .finding(rule(), FileId(route.file), route.span, format!("`{class}` is open to everyone at `{}`: it shows {what}", route.path))
            .confidence(confidence)
            .severity(if only_demo { Severity::Low } else { Severity::High })
            .remedy("Put the mount into `authenticate :user, ->(u) { u.admin? } do … end` or behind a `constraints` class that asks for an administrator.")
            .report();
    }
}

/// Whether the dashboard is given a middleware or a setting that asks for a login.
fn asks_itself(context: &Context<'_, '_>, class: &str) -> bool {
    let root = class.split("::").next().unwrap_or(class);
    let mut asks = false;
    let hint = place::hint!(
        "Rack::Auth|Rack::Protection|http_basic|base_controller|authenticate|admin_check|before_action|basic_auth|username"
    );
    for (_, file) in context.code_files() {
        if asks
            || file.is_template()
            || !(file.path.starts_with("config/") || file.path.starts_with("lib/"))
            || !hint.is_match(&file.text)
        {
            continue;
        }
        wardroom_ruby::walk::each(&file.parsed.body, &mut |node| {
            if let wardroom_ruby::ir::Kind::Call(call) = &node.kind {
                let on = call
                    .recv
                    .as_ref()
                    .and_then(place::constant)
                    .is_some_and(|c| c.split("::").next() == Some(root));
                let inner = call.recv.as_ref().is_some_and(|r| matches!(&r.kind, wardroom_ruby::ir::Kind::Call(c) if c.recv.as_ref().and_then(place::constant).is_some_and(|k| k.split("::").next() == Some(root))));
                let use_auth = call.name == "use"
                    && call.args.first().is_some_and(|a| {
                        context_text(a).contains("Auth") || context_text(a).contains("Constraint")
                    });
                let setting = matches!(
                    call.name.as_str(),
                    "base_controller_class="
                        | "parent_controller="
                        | "before_action"
                        | "http_basic_authenticate_with"
                        | "authenticate_with"
                        | "before_perform"
                        | "class_eval"
                        | "authentication="
                        | "before"
                        | "password="
                        | "user="
                        | "username="
                        | "middleware"
                        | "configure"
                );
                asks |= (on || inner) && (use_auth || setting);
            }
            !asks
        });
    }
    asks
}

fn context_text(node: &wardroom_ruby::ir::Node) -> String {
    place::constant(node).unwrap_or_default()
}
