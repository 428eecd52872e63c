//! Cross-site scripting: data that becomes markup or script.

mod attribute_context;
mod cross_site_scripting;
mod escaping_off;
mod flash_rendered_raw;
mod json_in_script;
mod phlex_unsafe_raw;
mod pieces;
pub(crate) mod place;
mod render_markup;
mod sanitize_misconfigured;
mod script_context;
mod subresource_integrity;
mod turbo_stream;
mod unescaped_helper_markup;
mod unsafe_url;
mod upload_content_type;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: attribute_context::dynamic_name::rule, run: attribute_context::dynamic_name::run },
    Check { rule: attribute_context::style::rule, run: attribute_context::style::run },
    Check { rule: attribute_context::unquoted::rule, run: attribute_context::unquoted::run },
    Check { rule: cross_site_scripting::rule, run: cross_site_scripting::run },
    Check { rule: escaping_off::rule, run: escaping_off::run },
    Check { rule: flash_rendered_raw::rule, run: flash_rendered_raw::run },
    Check { rule: json_in_script::rule, run: json_in_script::run },
    Check { rule: phlex_unsafe_raw::rule, run: phlex_unsafe_raw::run },
    Check { rule: render_markup::rule, run: render_markup::run },
    Check { rule: sanitize_misconfigured::rule, run: sanitize_misconfigured::run },
    Check { rule: script_context::rule, run: script_context::run },
    Check { rule: subresource_integrity::rule, run: subresource_integrity::run },
    Check { rule: turbo_stream::rule, run: turbo_stream::run },
    Check { rule: unescaped_helper_markup::rule, run: unescaped_helper_markup::run },
    Check { rule: unsafe_url::rule, run: unsafe_url::run },
    Check { rule: upload_content_type::rule, run: upload_content_type::run },
];
