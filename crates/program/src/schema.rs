//! The shapes of the files as JSON schemas, for editors: names, types and what each is for. What a
//! name may be (a state, a field, a role) only [`load`](crate::load) knows.

use serde_json::Value;

use crate::raw;

/// The names of the schemas, each with the files that it describes.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("wardroom", "wardroom.toml"),
    ("kind", "kinds/*.yaml"),
    ("roles", "policies/roles.yaml"),
    ("identity", "policies/identity.yaml"),
    ("values", "policies/values.yaml"),
];

/// The schema of this name, of those in [`SCHEMAS`].
pub fn schema(name: &str) -> Option<Value> {
    let schema = match name {
        "wardroom" => schemars::schema_for!(raw::Settings),
        "kind" => schemars::schema_for!(raw::Kind),
        "roles" => schemars::schema_for!(raw::Roles),
        "identity" => schemars::schema_for!(raw::Identity),
        "values" => schemars::schema_for!(raw::Values),
        _ => return None,
    };
    Some(schema.to_value())
}
