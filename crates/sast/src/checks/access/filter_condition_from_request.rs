//! Filters of access that the request itself can switch off.

use std::collections::HashSet;

use wardroom_model::{Confidence, FilterRole};
use wardroom_rails::{Controller, FilterDeclaration};
use wardroom_ruby::ir::Name;

use super::condition::{Part, Switch, switch_in};
use super::practice::{Practice, any};
use crate::context::Context;

wardroom_model::rule! {
    /// Whether a filter that asks who is calling, or whether the caller may, runs at all is decided by a
    /// parameter, a cookie or a header of the same request (`if:`, `unless:`).
    ///
    /// ## Why it is bad
    ///
    /// Who sends the request chooses its parameters. One that says the right word reaches the action
    /// as if the filter were not there.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// class ReportsController < ApplicationController
    ///   before_action :require_admin, unless: -> { params[:internal] == "1" }
    /// end
    /// ```
    ///
    /// ## Use instead
    ///
    /// Let the filter always run. Where some callers are to pass, decide by what they cannot choose: their
    /// session, a token that is checked, the action's name.
    ///
    /// ```ruby
    /// class ReportsController < ApplicationController
    ///   before_action :require_admin, except: :summary
    /// end
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-807: Reliance on Untrusted Inputs in a Security Decision
    /// - OWASP Top Ten 2021, A01 Broken Access Control
    rule: "filter-condition-from-request", "Filter that the request can switch off", Access, 807, High,
        "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N"
}

/// Looks at the condition of every filter.
pub fn run(context: &Context<'_, '_>) {
    let app = context.app;
    if !app.controllers.values().any(|c| c.filters.iter().any(|f| f.conditional)) {
        return;
    }
    let practice = context.practice();
    let mut seen = HashSet::new();
    for controller in practice.controllers() {
        for filter in controller.filters.iter().filter(|f| f.conditional) {
            let Some(switch) = switch_in(app, controller.class, filter) else { continue };
            if !seen.insert((filter.file, filter.span, filter.name)) {
                continue;
            }
            let Some(confidence) = judge(practice, controller, filter, &switch) else { continue };
            let name = filter.name.map_or("the block", |n| n.as_str());
            let part = match switch.part {
                Part::Parameter(key) => format!("the parameter `{key}`"),
                Part::Cookie => "a cookie".to_owned(),
                Part::Header => "a header".to_owned(),
                Part::Format => "the format that is asked for".to_owned(),
            };
            let endpoints = practice
                .actions(controller)
                .into_iter()
                .filter(|a| filter.applies(a.name))
                .flat_map(|a| a.endpoints)
                .take(50)
                .collect();
            let read = filter
                .conditions
                .iter()
                .find_map(|c| {
                    let body = c.body?;
                    (body.span.start <= switch.read.span.start && switch.read.span.end <= body.span.end)
                        .then(|| c.method.map_or(filter.file, |id| app.index.method(id).file))
                })
                .filter(|_| !std::ptr::eq(switch.read, filter.call.args.last().unwrap_or(switch.read)));
            let mut builder = context
                .finding(
                    rule(),
                    filter.file,
                    filter.span,
                    if filter.skip {
                        format!("{part} takes `{name}` away in `{}`", controller.class)
                    } else {
                        format!("{part} decides whether `{name}` runs in `{}`", controller.class)
                    },
                )
                .confidence(confidence)
                .reason(match (switch.absent, switch.part) {
                    (true, _) => "it is enough to leave it out; what the actions do then is not known",
                    (_, Part::Format) => "the actions may answer with less in that format",
                    (_, Part::Header) => "the header may be one that something in front of the application sets",
                    _ => "",
                })
                .remedy("Let the filter always run, or decide by what the caller cannot choose: the session, a token that is checked, the action.")
                .endpoints(endpoints);
            if let Some(file) = read {
                builder = builder.step(file, switch.read.span, "the request decides here");
            }
            builder.report();
        }
    }
}

fn judge(
    practice: &Practice<'_, '_>,
    controller: &Controller<'_>,
    filter: &FilterDeclaration<'_>,
    switch: &Switch<'_>,
) -> Option<Confidence> {
    let class = controller.class;
    if filter.role == FilterRole::Csrf {
        // Another site can choose the parameters, but neither headers nor cookies.
        return match switch.part {
            Part::Parameter(_) if !switch.absent => Some(Confidence::Medium),
            _ => None,
        };
    }
    let kind = kind(practice, class, filter)?;
    // Another filter takes over where this one rests.
    let others: Vec<Kind> = controller
        .filters
        .iter()
        .filter(|f| {
            !f.skip
                && f.name != filter.name
                && (f.only.is_none() || f.only == filter.only)
                && (!f.conditional
                    || switch_in(practice.app, class, f).is_some_and(|s| s.part == switch.part))
        })
        .filter_map(|f| Some((f, self::kind(practice, class, f)?)))
        .filter(|(f, _)| !controller.filters.iter().any(|s| s.skip && s.name == f.name && !s.conditional))
        .map(|(f, k)| if f.conditional { Kind::Decides } else { k })
        .collect();
    if others.contains(&Kind::Decides) || others.contains(&kind) {
        return None;
    }
    if switch.absent
        && let Part::Parameter(key) = switch.part
    {
        // Only requests that name something have something to ask about.
        let reads = filter.name.and_then(|n| practice.find(class, n)).is_some_and(|m| {
            practice.reach(class, m).iter().any(|id| {
                any(
                    practice.app.index.method(*id).body,
                    &mut |n| matches!(&n.kind, wardroom_ruby::ir::Kind::Sym(s) if *s == key),
                )
            })
        });
        if reads || key == "id" || key.ends_with("_id") {
            return None;
        }
    }
    Some(match (switch.part, switch.absent) {
        (Part::Format, _) => Confidence::Low,
        (Part::Header, _) | (_, true) => Confidence::Medium,
        _ => Confidence::High,
    })
}

/// What a filter stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Strangers.
    Identifies,
    /// Who may not.
    Decides,
}

fn kind(practice: &Practice<'_, '_>, class: Name, filter: &FilterDeclaration<'_>) -> Option<Kind> {
    let name = filter.name?;
    let method = practice.find(class, name);
    if let Some(method) = method {
        if practice.shows(class, method, |f| !f.decisions.is_empty()) {
            return Some(Kind::Decides);
        }
        let asks = practice.shows(class, method, |f| f.user || f.token);
        let named = practice.asks_who(name)
            || practice.guards(name)
            || name.contains("login")
            || name.contains("auth");
        return (asks && named).then_some(Kind::Identifies);
    }
    if practice.guards(name) {
        Some(Kind::Decides)
    } else {
        (practice.asks_who(name) || name == "login_required").then_some(Kind::Identifies)
    }
}
