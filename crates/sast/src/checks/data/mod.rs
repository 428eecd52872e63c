//! Data and cryptography, configuration, denial of service, versions.

mod action_cable_origins;
mod clear_text_storage;
mod constant_salt;
mod content_security_policy_missing;
mod content_security_policy_unsafe;
mod cookie_flags;
mod cookie_serializer_marshal;
mod cors_wildcard;
mod decompression_bomb;
mod detailed_exceptions;
mod development_tools;
mod filter_parameters_gap;
mod force_ssl_off;
mod frame_options_off;
mod gem_version_weakness;
mod hard_coded_secret;
mod host_authorization_off;
mod hsts_off;
mod incomplete_anchors;
mod incomplete_sanitizer;
mod json_escape_off;
mod load_defaults_old;
mod naming;
mod parameter_parsers;
mod pattern;
mod personal_data_shown;
mod place;
mod predictable_randomness;
mod rails_version_weakness;
mod record;
mod record_rendered_whole;
mod redos;
mod secret_in_log;
mod sensitive_data_in_get;
mod session_cookie_flags;
mod sleep_in_request;
mod small_key;
mod unbounded_limit;
mod unsupported_framework;
mod user_made_regexp;
mod user_made_symbol;
mod weak_cipher;
mod weak_hash;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: action_cable_origins::rule, run: action_cable_origins::run },
    Check { rule: clear_text_storage::rule, run: clear_text_storage::run },
    Check { rule: constant_salt::rule, run: constant_salt::run },
    Check { rule: content_security_policy_missing::rule, run: content_security_policy_missing::run },
    Check { rule: content_security_policy_unsafe::rule, run: content_security_policy_unsafe::run },
    Check { rule: cookie_flags::rule, run: cookie_flags::run },
    Check { rule: cookie_serializer_marshal::rule, run: cookie_serializer_marshal::run },
    Check { rule: cors_wildcard::rule, run: cors_wildcard::run },
    Check { rule: decompression_bomb::rule, run: decompression_bomb::run },
    Check { rule: detailed_exceptions::rule, run: detailed_exceptions::run },
    Check { rule: development_tools::rule, run: development_tools::run },
    Check { rule: filter_parameters_gap::rule, run: filter_parameters_gap::run },
    Check { rule: force_ssl_off::rule, run: force_ssl_off::run },
    Check { rule: frame_options_off::rule, run: frame_options_off::run },
    Check { rule: gem_version_weakness::rule, run: gem_version_weakness::run },
    Check { rule: hard_coded_secret::rule, run: hard_coded_secret::run },
    Check { rule: host_authorization_off::rule, run: host_authorization_off::run },
    Check { rule: hsts_off::rule, run: hsts_off::run },
    Check { rule: incomplete_anchors::rule, run: incomplete_anchors::run },
    Check { rule: incomplete_sanitizer::rule, run: incomplete_sanitizer::run },
    Check { rule: json_escape_off::rule, run: json_escape_off::run },
    Check { rule: load_defaults_old::rule, run: load_defaults_old::run },
    Check { rule: parameter_parsers::rule, run: parameter_parsers::run },
    Check { rule: personal_data_shown::rule, run: personal_data_shown::run },
    Check { rule: predictable_randomness::rule, run: predictable_randomness::run },
    Check { rule: rails_version_weakness::rule, run: rails_version_weakness::run },
    Check { rule: record_rendered_whole::rule, run: record_rendered_whole::run },
    Check { rule: redos::rule, run: redos::run },
    Check { rule: secret_in_log::rule, run: secret_in_log::run },
    Check { rule: sensitive_data_in_get::rule, run: sensitive_data_in_get::run },
    Check { rule: session_cookie_flags::rule, run: session_cookie_flags::run },
    Check { rule: sleep_in_request::rule, run: sleep_in_request::run },
    Check { rule: small_key::rule, run: small_key::run },
    Check { rule: unbounded_limit::rule, run: unbounded_limit::run },
    Check { rule: unsupported_framework::rule, run: unsupported_framework::run },
    Check { rule: user_made_regexp::rule, run: user_made_regexp::run },
    Check { rule: user_made_symbol::rule, run: user_made_symbol::run },
    Check { rule: weak_cipher::rule, run: weak_cipher::run },
    Check { rule: weak_hash::rule, run: weak_hash::run },
];
