//! Framework defaults of an older release.

use wardroom_model::{Confidence, Severity};
use wardroom_rails::config::{SettingValue, turned_on_by};

use super::place;
use crate::context::Context;

wardroom_model::rule! {
    /// `config.load_defaults` names an older release than the Rails that runs, or is missing, so
    /// protections that came since are off.
    ///
    /// ## Why it is bad
    ///
    /// Rails switches safer behaviour on by `load_defaults` only: per-form CSRF tokens, SameSite
    /// cookies, JSON cookies, errors on open redirects, SHA-256 and more.
    ///
    /// ## Example
    ///
    /// ```ruby
    /// config.load_defaults 5.0   # on Rails 7.1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```ruby
    /// config.load_defaults 7.1
    /// ```
    ///
    /// ## References
    ///
    /// - CWE-1188: Initialization of a Resource with an Insecure Default
    /// - Rails guide "Upgrading Ruby on Rails", section on framework defaults
    rule: "load-defaults-old", "Framework defaults of an older release", Configuration, 1188, Low,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N"
}

const RELEASES: &[(u32, u32)] =
    &[(5, 0), (5, 1), (5, 2), (6, 0), (6, 1), (7, 0), (7, 1), (7, 2), (8, 0), (8, 1)];
const PROTECTIONS: &[(&str, &str)] = &[
    ("action_controller.per_form_csrf_tokens", "CSRF tokens for each form"),
    ("action_controller.forgery_protection_origin_check", "the check of the Origin header"),
    ("action_controller.default_protect_from_forgery", "CSRF protection by default"),
    ("action_dispatch.cookies_same_site_protection", "SameSite cookies"),
    ("action_dispatch.cookies_serializer", "JSON cookies"),
    ("action_dispatch.use_cookies_with_metadata", "cookies bound to their name"),
    ("action_controller.raise_on_open_redirects", "errors on open redirects"),
    ("active_support.key_generator_hash_digest_class", "keys made with SHA-256"),
    ("regexp.timeout", "a time limit for patterns"),
];

/// Compares `load_defaults` with the Rails that runs.
pub fn run(context: &Context<'_, '_>) {
    let Some(home) = place::application(context) else { return };
    let config = &context.app.config;
    let rails = context.app.rails();
    if rails < (5, 1) || context.app.gems.rails_version().is_none() {
        return;
    }
    let current = config.load_defaults.map_or((4, 2), |v| (v.0, v.1));
    if current.0 >= rails.0 {
        return;
    }
    let mut lost: Vec<&str> = Vec::new();
    for release in RELEASES.iter().filter(|r| **r > current && **r <= rails) {
        for (key, value) in turned_on_by(release.0, release.1) {
            let words = PROTECTIONS.iter().find(|(k, _)| *k == key).map(|(_, w)| *w);
            // What the application sets itself is not lost.
            let own = config.effective(key).is_some_and(|e| e.setting.is_some());
            if let Some(words) = words
                && !own
                && value != SettingValue::Nil
                && !lost.contains(&words)
            {
                lost.push(words);
            }
        }
    }
    if lost.is_empty() {
        return;
    }
    let (file, span) = config.last("load_defaults").map_or(home, place::of);
    let has = config.load_defaults.map_or_else(
        || "`config.load_defaults` is missing".to_owned(),
        |v| format!("`config.load_defaults` is {}.{}", v.0, v.1),
    );
    context
        .finding(rule(), file, span, format!("{has} on Rails {}.{}: {} stay off", rails.0, rails.1, lost.join(", ")))
        .confidence(Confidence::Low)
        .severity(Severity::Low)
        .remedy("Raise `load_defaults` release by release, with `new_framework_defaults_*.rb` for what needs care.")
        .report();
}
