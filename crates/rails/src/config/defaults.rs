//! What Rails does where a setting is not made: the framework's own values, and what each
//! `config.load_defaults` turns on. Only keys that matter for security are kept.
//!
//! Source of what `load_defaults` turns on: `load_defaults` itself in
//! `railties/lib/rails/application/configuration.rb` at the tags v5.1.0 to v8.1.0 (the guide
//! "Configuring Rails Applications", section "Versioned Default Values", says the same). Source of the
//! rest: the railties and accessors of actionpack, actionview and activesupport at the same tags.

use super::value::SettingValue;
use crate::gems::Version;

/// A value in the table.
#[derive(Clone, Copy)]
enum Preset {
    Bool(bool),
    Int(i64),
    Sym(&'static str),
    Const(&'static str),
    Headers(&'static [(&'static str, &'static str)]),
    Subdomains,
    Unset,
}

use Preset::{Bool, Const, Headers, Int, Subdomains, Sym, Unset};

impl Preset {
    fn value(self) -> SettingValue {
        let text = |t: &str| SettingValue::Str(t.to_owned());
        match self {
            Unset => SettingValue::Nil,
            Bool(value) => SettingValue::Bool(value),
            Int(value) => SettingValue::Int(value),
            Sym(name) => SettingValue::Sym(name.to_owned()),
            Const(name) => SettingValue::Const(name.to_owned()),
            Headers(pairs) => {
                SettingValue::Hash(pairs.iter().map(|(k, v)| ((*k).to_owned(), text(v))).collect())
            }
            Subdomains => SettingValue::Hash(vec![(
                "hsts".to_owned(),
                SettingValue::Hash(vec![("subdomains".to_owned(), SettingValue::Bool(true))]),
            )]),
        }
    }
}

const HEADERS_4_0: Preset = Headers(&[
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "1; mode=block"),
    ("X-Content-Type-Options", "nosniff"),
]);
const HEADERS_5_2: Preset = Headers(&[
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "1; mode=block"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Download-Options", "noopen"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
]);
const HEADERS_7_0: Preset = Headers(&[
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "0"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Download-Options", "noopen"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
]);
const HEADERS_7_1: Preset = Headers(&[
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-XSS-Protection", "0"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
]);

/// What `config.load_defaults` turns on: the version from which, the key, the value. Later rows of
/// one key win.
const VERSIONED: &[(u32, u32, &str, Preset)] = &[
    (5, 0, "action_controller.per_form_csrf_tokens", Bool(true)),
    (5, 0, "action_controller.forgery_protection_origin_check", Bool(true)),
    (5, 0, "active_record.belongs_to_required_by_default", Bool(true)),
    (5, 0, "ssl_options", Subdomains),
    (5, 1, "assets.unknown_asset_fallback", Bool(false)),
    (5, 1, "action_view.form_with_generates_remote_forms", Bool(true)),
    (5, 2, "action_controller.default_protect_from_forgery", Bool(true)),
    (5, 2, "action_dispatch.use_authenticated_cookie_encryption", Bool(true)),
    (5, 2, "active_support.use_authenticated_message_encryption", Bool(true)),
    (5, 2, "active_support.hash_digest_class", Const("OpenSSL::Digest::SHA1")),
    (6, 0, "action_dispatch.use_cookies_with_metadata", Bool(true)),
    (6, 0, "action_view.default_enforce_utf8", Bool(false)),
    (6, 1, "action_dispatch.cookies_same_site_protection", Sym("lax")),
    (6, 1, "action_dispatch.ssl_default_redirect_status", Int(308)),
    (6, 1, "action_controller.urlsafe_csrf_tokens", Bool(true)),
    (6, 1, "action_view.form_with_generates_remote_forms", Bool(false)),
    (7, 0, "action_controller.raise_on_open_redirects", Bool(true)),
    // Its name since 8.1, where `load_defaults 7.0` sets this one.
    (7, 0, "action_controller.action_on_open_redirect", Sym("raise")),
    (7, 0, "action_controller.wrap_parameters_by_default", Bool(true)),
    (7, 0, "action_dispatch.cookies_serializer", Sym("json")),
    (7, 0, "action_dispatch.default_headers", HEADERS_7_0),
    (7, 0, "action_dispatch.return_only_request_media_type_on_content_type", Bool(false)),
    (7, 0, "action_view.button_to_generates_button_tag", Bool(true)),
    (7, 0, "active_support.hash_digest_class", Const("OpenSSL::Digest::SHA256")),
    (7, 0, "active_support.key_generator_hash_digest_class", Const("OpenSSL::Digest::SHA256")),
    (7, 1, "action_controller.allow_deprecated_parameters_hash_equality", Bool(false)),
    (7, 1, "action_dispatch.default_headers", HEADERS_7_1),
    (7, 1, "action_dispatch.debug_exception_log_level", Sym("error")),
    (7, 1, "action_text.sanitizer_vendor", Const("Rails::HTML5::Sanitizer")),
    (7, 1, "action_view.sanitizer_vendor", Const("Rails::HTML5::Sanitizer")),
    (7, 1, "active_record.encryption.hash_digest_class", Const("OpenSSL::Digest::SHA256")),
    (7, 1, "active_record.encryption.support_sha1_for_non_deterministic_encryption", Bool(false)),
    (7, 1, "active_record.default_column_serializer", Unset),
    (7, 1, "active_record.raise_on_assign_to_attr_readonly", Bool(true)),
    (7, 1, "active_support.message_serializer", Sym("json_allow_marshal")),
    (7, 1, "active_support.use_message_serializer_for_metadata", Bool(true)),
    (7, 1, "precompile_filter_parameters", Bool(true)),
    (8, 0, "action_dispatch.strict_freshness", Bool(true)),
    (8, 0, "regexp.timeout", Int(1)),
    (8, 1, "action_controller.action_on_path_relative_redirect", Sym("raise")),
    (8, 1, "action_controller.escape_json_responses", Bool(false)),
    (8, 1, "action_view.remove_hidden_field_autocomplete", Bool(true)),
    (8, 1, "active_support.escape_js_separators_in_json", Bool(false)),
];

/// What an installed Rails does without `load_defaults`: the release from which, the key, the
/// value.
const BUILT_IN: &[(u32, u32, &str, Preset)] = &[
    (2, 0, "force_ssl", Bool(false)),
    (2, 0, "action_controller.allow_forgery_protection", Bool(true)),
    (2, 0, "active_record.whitelist_attributes", Bool(false)),
    (3, 0, "consider_all_requests_local", Bool(false)),
    (4, 0, "action_dispatch.default_headers", HEADERS_4_0),
    (4, 0, "action_dispatch.show_exceptions", Bool(true)),
    (4, 0, "active_support.escape_html_entities_in_json", Bool(true)),
    (4, 1, "action_dispatch.perform_deep_munge", Bool(true)),
    (4, 1, "action_dispatch.cookies_serializer", Sym("marshal")),
    (5, 0, "action_controller.per_form_csrf_tokens", Bool(false)),
    (5, 0, "action_controller.forgery_protection_origin_check", Bool(false)),
    (5, 0, "action_cable.disable_request_forgery_protection", Bool(false)),
    (5, 2, "action_controller.default_protect_from_forgery", Bool(false)),
    (5, 2, "action_dispatch.default_headers", HEADERS_5_2),
    (5, 2, "action_dispatch.use_authenticated_cookie_encryption", Bool(false)),
    (5, 2, "active_support.use_authenticated_message_encryption", Bool(false)),
    (5, 2, "active_support.hash_digest_class", Const("OpenSSL::Digest::MD5")),
    (5, 2, "content_security_policy_report_only", Bool(false)),
    (6, 0, "action_dispatch.use_cookies_with_metadata", Bool(false)),
    (6, 1, "action_dispatch.cookies_same_site_protection", Unset),
    (7, 0, "action_controller.raise_on_open_redirects", Bool(false)),
    (7, 0, "active_support.key_generator_hash_digest_class", Const("OpenSSL::Digest::SHA1")),
    (7, 1, "action_dispatch.show_exceptions", Sym("all")),
    (7, 1, "active_record.default_column_serializer", Const("YAML")),
    (7, 1, "active_support.message_serializer", Sym("marshal")),
    (7, 1, "action_view.sanitizer_vendor", Const("Rails::HTML4::Sanitizer")),
    (8, 1, "action_controller.action_on_open_redirect", Sym("log")),
    (8, 1, "action_controller.escape_json_responses", Bool(true)),
];

/// The value of a key that the application does not set: by its `load_defaults`, else by the
/// installed Rails. `None` where neither has a say (the key is unknown, or came later).
pub fn default_of(key: &str, load_defaults: Option<Version>, rails: Option<Version>) -> Option<SettingValue> {
    let newest = |table: &[(u32, u32, &str, Preset)], version: Version| {
        table
            .iter()
            .filter(|row| row.2 == key && (row.0, row.1) <= (version.0, version.1))
            .max_by_key(|row| (row.0, row.1))
            .map(|row| row.3.value())
    };
    load_defaults
        .and_then(|version| newest(VERSIONED, version))
        .or_else(|| newest(BUILT_IN, rails.max(load_defaults)?))
}

/// What one `load_defaults` version turns on that the one before did not, for explanations.
pub fn turned_on_by(major: u32, minor: u32) -> impl Iterator<Item = (&'static str, SettingValue)> {
    VERSIONED.iter().filter(move |r| (r.0, r.1) == (major, minor)).map(|r| (r.2, r.3.value()))
}
