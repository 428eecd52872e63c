//! Injection: data that becomes code of some language.

mod argument_injection;
mod code_injection;
mod command_from_setting;
mod command_injection;
mod dynamic_instance_variable;
mod dynamic_send;
mod email_header_injection;
mod format_string;
mod kernel_open;
mod ldap_injection;
mod log_injection;
mod nosql_injection;
mod place;
mod quoted;
mod response_header_injection;
mod sql_injection;
mod template_injection;
mod unsafe_reflection;
mod xpath_injection;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: argument_injection::rule, run: argument_injection::run },
    Check { rule: code_injection::rule, run: code_injection::run },
    Check { rule: command_from_setting::rule, run: command_from_setting::run },
    Check { rule: command_injection::rule, run: command_injection::run },
    Check { rule: dynamic_instance_variable::rule, run: dynamic_instance_variable::run },
    Check { rule: dynamic_send::rule, run: dynamic_send::run },
    Check { rule: email_header_injection::rule, run: email_header_injection::run },
    Check { rule: format_string::rule, run: format_string::run },
    Check { rule: kernel_open::rule, run: kernel_open::run },
    Check { rule: ldap_injection::rule, run: ldap_injection::run },
    Check { rule: log_injection::rule, run: log_injection::run },
    Check { rule: nosql_injection::rule, run: nosql_injection::run },
    Check { rule: response_header_injection::rule, run: response_header_injection::run },
    Check { rule: sql_injection::rule, run: sql_injection::run },
    Check { rule: template_injection::rule, run: template_injection::run },
    Check { rule: unsafe_reflection::rule, run: unsafe_reflection::run },
    Check { rule: xpath_injection::rule, run: xpath_injection::run },
];
