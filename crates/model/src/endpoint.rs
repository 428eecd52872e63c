//! The join key of Wardroom: what the code calls a route, the web scanner meets as a URL and the
//! logs hold as a request line.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Location;

/// An HTTP method, or any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// GET (and HEAD with it).
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// HEAD alone.
    Head,
    /// OPTIONS.
    Options,
    /// The route takes every method.
    Any,
}

impl Verb {
    /// As it stands in a request line; `ANY` where the route takes all.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
            Verb::Head => "HEAD",
            Verb::Options => "OPTIONS",
            Verb::Any => "ANY",
        }
    }

    /// Reads `get`, `GET`, `:get`; `None` for a word that is no method.
    pub fn parse(word: &str) -> Option<Verb> {
        Some(match word.trim_start_matches(':').to_ascii_lowercase().as_str() {
            "get" => Verb::Get,
            "post" => Verb::Post,
            "put" => Verb::Put,
            "patch" => Verb::Patch,
            "delete" => Verb::Delete,
            "head" => Verb::Head,
            "options" => Verb::Options,
            "any" | "all" => Verb::Any,
            _ => return None,
        })
    }
}

/// What a filter in front of a handler is for, as far as its name and body tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilterRole {
    /// Asks who is calling.
    Authentication,
    /// Asks whether the caller may.
    Authorization,
    /// Checks the request's CSRF token.
    Csrf,
    /// Anything else (loading a record, setting a locale …).
    Other,
}

/// One filter that runs before a handler.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// The method's name, or `block`.
    pub name: String,
    /// What it is for.
    pub role: FilterRole,
    /// It runs only under a condition (`if:`, `unless:`) that is not known from the code.
    pub conditional: bool,
}

/// One way into the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// HTTP method.
    pub verb: Verb,
    /// Path template: `/users/:id/posts(.:format)`, without the optional format.
    pub path: String,
    /// `controller#action` in Rails' own spelling (`admin/users#index`); for others the class
    /// (`API::V1::Users`), or `Engine` and `Rack` constants for mounts.
    pub handler: String,
    /// Names of the parameters: those in the path first, then those the handler reads.
    pub parameters: Vec<String>,
    /// Filters that run before the handler, in order.
    pub filters: Vec<Filter>,
    /// Where the route is declared.
    pub route: Option<Location>,
    /// Where the handler is defined.
    pub action: Option<Location>,
}

impl Endpoint {
    /// Whether some filter of this role always runs.
    pub fn guarded_by(&self, role: FilterRole) -> bool {
        self.filters.iter().any(|f| f.role == role && !f.conditional)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.verb.as_str(), self.path, self.handler)
    }
}
