//! Access: who may do what, and how the application knows who asks.

mod basic_auth_literal;
mod cable_unidentified;
mod condition;
mod csrf_protection_missing;
mod csrf_protection_skipped;
mod default_route;
mod filter_condition_from_request;
mod graphql_unauthorized;
mod jwt_unverified;
mod loads;
mod mass_assignment;
mod missing_authentication;
mod missing_authorization;
mod oauth_state;
mod otp_reuse;
pub(crate) mod practice;
mod saml_signature;
mod session_fixation;
mod state_change_by_get;
mod timing_unsafe_comparison;
mod unanchored_credential;
mod unscoped_find;
mod usage;
mod user_enumeration;
mod weak_password_policy;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: basic_auth_literal::rule, run: basic_auth_literal::run },
    Check { rule: cable_unidentified::rule, run: cable_unidentified::run },
    Check { rule: csrf_protection_missing::rule, run: csrf_protection_missing::run },
    Check { rule: csrf_protection_skipped::rule, run: csrf_protection_skipped::run },
    Check { rule: default_route::rule, run: default_route::run },
    Check { rule: filter_condition_from_request::rule, run: filter_condition_from_request::run },
    Check { rule: graphql_unauthorized::rule, run: graphql_unauthorized::run },
    Check { rule: jwt_unverified::rule, run: jwt_unverified::run },
    Check { rule: mass_assignment::rule, run: mass_assignment::run },
    Check { rule: missing_authentication::rule, run: missing_authentication::run },
    Check { rule: missing_authorization::rule, run: missing_authorization::run },
    Check { rule: oauth_state::rule, run: oauth_state::run },
    Check { rule: otp_reuse::rule, run: otp_reuse::run },
    Check { rule: saml_signature::rule, run: saml_signature::run },
    Check { rule: session_fixation::rule, run: session_fixation::run },
    Check { rule: state_change_by_get::rule, run: state_change_by_get::run },
    Check { rule: timing_unsafe_comparison::rule, run: timing_unsafe_comparison::run },
    Check { rule: unanchored_credential::rule, run: unanchored_credential::run },
    Check { rule: unscoped_find::rule, run: unscoped_find::run },
    Check { rule: user_enumeration::rule, run: user_enumeration::run },
    Check { rule: weak_password_policy::rule, run: weak_password_policy::run },
];
