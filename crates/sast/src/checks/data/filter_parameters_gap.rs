//! Parameters that Rails writes to the log although they are secret.

use std::collections::BTreeSet;

use wardroom_model::{Confidence, Severity};
use wardroom_rails::config::SettingValue;

use super::naming::{self, Secret};
use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// `config.filter_parameters` is empty or leaves out parameters of the application that are
    /// secret.
    ///
    /// ## Why it is bad
    ///
    /// Rails writes the parameters of every request to the log. What the filter does not name stands
    /// there in clear text.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// Rails.application.config.filter_parameters += [:password]
    /// # and a form that sends `card_number`
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// Rails.application.config.filter_parameters += [
    ///   :passw, :secret, :token, :_key, :crypt, :salt, :certificate, :otp, :ssn, :cvv, :card_number
    /// ]
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-532: Insertion of Sensitive Information into Log File
    /// - Rails guide "Configuring Rails Applications", `config.filter_parameters`
    rule: "filter-parameters-gap", "A secret parameter that is not kept out of the log", DataAndCryptography, 532, Low,
        "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N"
}

/// Compares the filter with the parameters that the application's actions read.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::application(context) else { return };
    if context.app.rails() < (3, 0) {
        return older(context);
    }
    let entries = context.app.config.filter_parameters();
    let mut patterns = Vec::new();
    for entry in &entries {
        match entry {
            SettingValue::Expr(_) => {
                // A pattern or a block: its text names what it hides.
                let setting = context.app.config.last("filter_parameters");
                let Some(setting) = setting else { return };
                let source =
                    context.source(wardroom_rails::FileId(setting.file), setting.span).to_lowercase();
                patterns.extend(
                    source
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .filter(|w| w.len() > 2)
                        .map(str::to_owned),
                );
            }
            other => patterns.extend(other.as_text().map(str::to_lowercase)),
        }
    }
    let hidden = |name: &str| {
        let name = name.to_lowercase();
        patterns.iter().any(|p| name.contains(p.rsplit('.').next().unwrap_or(p)))
    };
    let mut open: BTreeSet<(Secret, String)> = BTreeSet::new();
    for endpoint in &context.app.endpoints {
        for parameter in &endpoint.parameters {
            if let Some(secret) = naming::secret(parameter)
                && !hidden(parameter)
            {
                open.insert((secret, parameter.clone()));
            }
        }
    }
    let setting = context.app.config.last("filter_parameters");
    if setting.is_none() || patterns.is_empty() {
        let uncertain = setting.is_some();
        context
            .finding(rule(), home.0, home.1, "`config.filter_parameters` hides no parameter, so passwords are written to the log")
            .confidence(if uncertain || !has_accounts(context) { Confidence::Low } else { Confidence::Medium })
            .severity(Severity::Medium)
            .remedy("Add an initializer: `Rails.application.config.filter_parameters += [:passw, :secret, :token, :_key, :crypt, :salt, :certificate, :otp, :ssn]`.")
            .report();
        return;
    }
    if open.is_empty() {
        return;
    }
    let Some(setting) = setting else { return };
    let (file, span) = place::of(setting);
    let names: Vec<String> = open.iter().take(8).map(|(_, n)| format!("`{n}`")).collect();
    let worst = open.iter().map(|o| o.0).min().unwrap_or(Secret::Token);
    context
        .finding(rule(), file, span, format!("`config.filter_parameters` leaves out {}", names.join(", ")))
        .confidence(if worst == Secret::Token { Confidence::Low } else { Confidence::Medium })
        .severity(if worst == Secret::Password { Severity::Medium } else { Severity::Low })
        .remedy("Add the names, or short parts that they share, to `config.filter_parameters`.")
        .report();
}

/// Rails 2 filters by a call in the controller.
fn older(context: &Context<'_, '_>) {
    let called = context.app.controllers.values().any(|c| {
        context
            .app
            .index
            .class(c.class)
            .is_some_and(|class| class.macros.iter().any(|m| m.call.name == "filter_parameter_logging"))
    });
    if called || !has_accounts(context) {
        return;
    }
    let base = context
        .app
        .index
        .class(wardroom_ruby::ir::Name::from("ApplicationController"))
        .and_then(|c| c.places.first().copied());
    if let Some((file, _, span)) = base {
        context
            .finding(rule(), file, span, "No `filter_parameter_logging`: passwords are written to the log")
            .confidence(Confidence::Medium)
            .severity(Severity::Medium)
            .remedy("Add `filter_parameter_logging :password` to `ApplicationController`.")
            .report();
    }
}

fn has_accounts(context: &Context<'_, '_>) -> bool {
    context.app.gems.has("devise")
        || context.app.models.values().any(|m| m.columns.keys().any(|c| c.contains("password")))
        || context.app.endpoints.iter().any(|e| e.parameters.iter().any(|p| p.contains("password")))
}
