//! Files and network: paths, archives, outgoing requests, redirects, deserialisation.

mod active_storage;
mod insecure_download;
mod open_redirect;
mod parameters_as_url_options;
mod path_traversal;
mod path_traversal_write;
mod place;
mod plain_text_protocol;
mod redirect_to_referer;
mod render_path;
mod send_file;
mod server_side_request_forgery;
mod tls_verification_off;
mod unsafe_deserialization;
mod xml_external_entities;
mod zip_slip;

use crate::rule::Check;

/// The checks of this family.
pub const CHECKS: &[Check] = &[
    Check { rule: active_storage::rule, run: active_storage::run },
    Check { rule: insecure_download::rule, run: insecure_download::run },
    Check { rule: open_redirect::rule, run: open_redirect::run },
    Check { rule: parameters_as_url_options::rule, run: parameters_as_url_options::run },
    Check { rule: path_traversal::rule, run: path_traversal::run },
    Check { rule: path_traversal_write::rule, run: path_traversal_write::run },
    Check { rule: plain_text_protocol::rule, run: plain_text_protocol::run },
    Check { rule: redirect_to_referer::rule, run: redirect_to_referer::run },
    Check { rule: render_path::rule, run: render_path::run },
    Check { rule: send_file::rule, run: send_file::run },
    Check { rule: server_side_request_forgery::rule, run: server_side_request_forgery::run },
    Check { rule: tls_verification_off::rule, run: tls_verification_off::run },
    Check { rule: unsafe_deserialization::rule, run: unsafe_deserialization::run },
    Check { rule: xml_external_entities::rule, run: xml_external_entities::run },
    Check { rule: zip_slip::rule, run: zip_slip::run },
];
