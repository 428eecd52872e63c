//! What the names of the code say of a value: markup already, fixed by the code, or a person's words.

use wardroom_ruby::ir::*;

/// Helpers of Rails (and words of templates) whose result is markup, or text without any.
pub fn is_markup_builder(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "content_tag",
        "tag",
        "link_to",
        "link_to_if",
        "link_to_unless",
        "link_to_unless_current",
        "link_to_remote",
        "link_to_function",
        "button_to",
        "image_tag",
        "mail_to",
        "form_tag",
        "form_for",
        "form_with",
        "fields_for",
        "label_tag",
        "label",
        "text_field_tag",
        "text_field",
        "hidden_field_tag",
        "hidden_field",
        "select_tag",
        "select",
        "options_for_select",
        "options_from_collection_for_select",
        "grouped_options_for_select",
        "check_box_tag",
        "check_box",
        "radio_button_tag",
        "radio_button",
        "submit_tag",
        "button_tag",
        "text_area_tag",
        "text_area",
        "password_field_tag",
        "file_field_tag",
        "time_tag",
        "video_tag",
        "audio_tag",
        "stylesheet_link_tag",
        "javascript_include_tag",
        "javascript_tag",
        "field_set_tag",
        "render",
        "capture",
        "content_for",
        "yield",
        "safe_join",
        "sanitize",
        "strip_tags",
        "strip_links",
        "simple_format",
        "h",
        "html_escape",
        "escape_once",
        "html_escape_once",
        "escape_javascript",
        "j",
        "json_escape",
        "number_to_currency",
        "number_with_delimiter",
        "number_with_precision",
        "number_to_human",
        "number_to_human_size",
        "number_to_percentage",
        "number_to_phone",
        "time_ago_in_words",
        "distance_of_time_in_words",
        "distance_of_time_in_words_to_now",
        "pluralize",
        "cycle",
        "raw",
        "image_submit_tag",
        "url_for",
        "asset_path",
        "image_path",
        "dom_id",
        "dom_class",
        "turbo_frame_tag",
        "form_authenticity_token",
        "csrf_meta_tags",
        "hidden_field_tags",
        "will_paginate",
        "paginate",
        "error_messages_for",
        "inline_svg",
        "inline_svg_tag",
        "react_component",
        "content_security_policy_nonce",
        "javascript_pack_tag",
        "stylesheet_pack_tag",
        "auto_link",
        "markdown",
        "icon",
        "fa_icon",
        "highlight",
        "excerpt",
        "tag_options",
        "hash_for",
        "block_given?",
        "collection_select",
        "date_select",
        "datetime_select",
        "best_in_place",
        "format_date",
        "format_time",
        "url_encode",
        "u",
        "truncate_html",
        "textilizable",
        "request",
        "controller_name",
        "action_name",
        "current_page?",
    ];
    NAMES.contains(&name)
        || ["inline_svg", "vite_", "svg_", "webpack_", "shakapacker_"].iter().any(|p| name.starts_with(p))
        || name.ends_with("_icon")
        || name.ends_with("_svg")
}

/// Names of what holds numbers, dates, keys of the code's own, paths.
pub fn is_fixed_name(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "_id",
        "_ids",
        "_at",
        "_on",
        "_count",
        "_path",
        "_number",
        "_date",
        "_time",
        "_class",
        "_type",
        "_index",
        "_size",
        "_width",
        "_height",
        "_color",
        "_icon",
        "_uuid",
        "_digest",
        "_total",
        "_percent",
        "_percentage",
        "_cents",
        "_tag",
        "_link",
        "_url",
        "_classes",
        "_state",
        "_status",
        "_sum",
        "_css",
        "_attributes",
        "_options",
        "_token",
    ];
    const NAMES: &[&str] = &[
        "id",
        "to_i",
        "to_f",
        "to_d",
        "count",
        "size",
        "length",
        "class",
        "position",
        "index",
        "year",
        "month",
        "day",
        "hour",
        "min",
        "round",
        "floor",
        "ceil",
        "abs",
        "strftime",
        "iso8601",
        "to_date",
        "to_time",
        "to_param",
        "parameterize",
        "created_at",
        "updated_at",
        "uuid",
        "object_id",
        "hash",
        "hexdigest",
        "total_entries",
        "total_count",
        "level",
        "depth",
        "locale",
        "version",
        "sum",
        "total",
        "width",
        "height",
        "percent",
        "number",
        "page",
        "lft",
        "rgt",
        "css_classes",
        "dom_id",
        "controller_name",
        "to_formatted_s",
        "to_fs",
        "from_now",
        "ago",
        "succ",
        "next",
        "underscore",
        "model_name",
        "table_name",
        "utc",
        "-",
        "*",
        "/",
        "**",
        "==",
        "!",
        "!=",
        ">",
        "<",
        "&",
        "lineno",
        "ord",
        "color",
        "status",
        "state",
        "kind",
        "type",
        "request",
        "controller",
        "flash",
        "now",
        "today",
        "hidden",
        "escape",
        "escapeHTML",
        "url_encode",
        "to_json",
        "env",
        "base_url",
        "root_url",
        "host",
        "protocol",
        "new_line",
        "nl",
        "format_currency",
        "format",
        "to_currency",
        "delimited",
        "i18n_key",
        "symbol",
        "currency",
        "identifier",
        "digest",
        "action",
        "css",
        "icon",
    ];
    name.ends_with('?') || NAMES.contains(&name) || ENDINGS.iter().any(|e| name.ends_with(e))
}

/// Names of what holds a person's own words.
pub fn is_text_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "name",
        "title",
        "label",
        "description",
        "body",
        "content",
        "subject",
        "comment",
        "comments",
        "notes",
        "note",
        "summary",
        "text",
        "login",
        "username",
        "first_name",
        "last_name",
        "full_name",
        "bio",
        "message",
        "address",
        "display_name",
        "to_label",
        "caption",
        "nickname",
        "email",
        "mail",
        "filename",
        "to_sentence",
        "full_messages",
        "details",
        "reason",
        "excerpt",
        "question",
        "answer",
        "headline",
        "about",
        "memo",
        "abstract",
        "byline",
        "author",
        "value",
        "firstname",
        "lastname",
        "company",
        "city",
        "street",
        "keywords",
        "quote",
        "signature",
        "tagline",
        "intro",
        "instructions",
        "feedback",
        "preferred_name",
        "original_filename",
        "image",
        "url",
        "website",
    ];
    NAMES.contains(&name)
        || name.ends_with("_name")
        || name.ends_with("_title")
        || name.ends_with("_description")
        || name.ends_with("_text")
        || name.ends_with("_label")
        || name.ends_with("_message")
        || name.ends_with("_comment")
        || name.ends_with("_note")
        || name.strip_prefix("the_").is_some_and(is_text_name)
        || is_written(name)
}

/// Names of what people write at length: more than the names of things.
pub(super) fn is_written(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "body",
        "content",
        "description",
        "comment",
        "comments",
        "notes",
        "note",
        "summary",
        "bio",
        "caption",
        "details",
        "excerpt",
        "memo",
        "signature",
        "feedback",
    ];
    let name = name.strip_prefix("the_").unwrap_or(name);
    NAMES.contains(&name)
        || ["_body", "_content", "_summary", "_details", "_caption", "_bio", "_comment", "_description"]
            .iter()
            .any(|e| name.ends_with(e))
        || ["body_", "content_", "description_", "comment_", "html_body"].iter().any(|p| name.starts_with(p))
}

/// Names of things of the code's own: what they say was written with it.
pub(super) fn is_code(variable: Name) -> bool {
    const WORDS: &[&str] = &[
        "setting",
        "settings",
        "config",
        "configuration",
        "type",
        "option",
        "options",
        "field",
        "form",
        "plugin",
        "policy",
        "permission",
        "rule",
        "column",
        "provider",
        "builder",
        "renderer",
        "helper",
        "component",
        "template",
        "schema",
        "definition",
        "param",
        "argument",
        "self",
        "class",
        "klass",
        "response",
        "page",
        "view",
        "flash",
        "tag",
        "partial",
        "slot",
        "presenter",
        "doc",
        "document",
        "node",
        "element",
        "css",
    ];
    let bare = variable.trim_start_matches('@');
    let last = bare.rsplit('_').next().unwrap_or(bare);
    WORDS.contains(&last)
}

/// Names of columns in which the application keeps markup that it has made itself.
pub fn is_rendered(name: &str) -> bool {
    let name = name.rsplit(['#', '.']).next().unwrap_or(name);
    name.ends_with("_html")
        || name.starts_with("html_") && !name.starts_with("html_body")
        || name == "html"
        || [
            "marked",
            "markdown",
            "rendered",
            "cached",
            "sanitized",
            "formatted",
            "clean",
            "safe",
            "linkified",
            "processed",
            "cooked",
        ]
        .iter()
        .any(|p| name.starts_with(p))
        || name.ends_with("_rendered")
        || name.ends_with("_cache")
}

/// Names for a record of whatever model.
pub(super) fn is_any_record(node: &Node) -> bool {
    let name = match &node.kind {
        Kind::Local(name) | Kind::Ivar(name) => name,
        Kind::Call(call) if call.recv.is_none() && call.args.is_empty() => &call.name,
        _ => return false,
    };
    matches!(
        name.trim_start_matches('@'),
        "object" | "record" | "resource" | "obj" | "item" | "entity" | "instance"
    )
}

/// `expand_links(text)`: what a method of the application's own makes is judged there.
pub(super) fn is_helper_call(words: &str) -> bool {
    words.split_once('(').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// A call that looks a text up in the translations, or writes a date or number in the reader's way.
pub(super) fn is_translation(call: &Call) -> bool {
    let own = call.recv.is_none()
        || matches!(&call.recv, Some(Node { kind: Kind::Const(path), .. }) if path.last().is_some_and(|n| n == "I18n"));
    own && matches!(
        call.name.as_str(),
        "t" | "l"
            | "translate"
            | "localize"
            | "_"
            | "s_"
            | "n_"
            | "ts"
            | "N_"
            | "l_or_humanize"
            | "gettext"
            | "ngettext"
            | "l_hours"
            | "t!"
    )
}

/// Options of a translation that are not put into it.
pub(super) fn is_option(key: &Node) -> bool {
    wardroom_rails::literal_name(key)
        .is_some_and(|k| matches!(k.as_str(), "scope" | "default" | "locale" | "count" | "format" | "raise"))
}
