//! Forms as browsers send them: pairs of names and values, in order, some more than once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;

use crate::App;
use crate::error::Failed;

/// Most fields of one form.
const MOST: usize = 5_000;

/// A form that was sent.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of a name; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// Whether a name is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Names that begin with a prefix, without it, with their values.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(n, v)| Some((n.strip_prefix(prefix)?, v.as_str())))
    }

    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Form, Failed> {
        let pairs: Vec<(String, String)> = serde_urlencoded(body);
        if pairs.len() > MOST {
            return Err(Failed::bad(format!("A form may have {MOST} fields at most.")));
        }
        Ok(Form(pairs))
    }
}

fn serde_urlencoded(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).take(MOST + 1).map(|(n, v)| (n.into_owned(), v.into_owned())).collect()
}

impl FromRequest<App> for Form {
    type Rejection = Failed;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if !media.is_some_and(|m| m.starts_with("application/x-www-form-urlencoded")) {
            return Err(Failed::bad("A form is needed."));
        }
        let body = Bytes::from_request(request, app).await.map_err(|_| {
            Failed::Page(
                axum::http::StatusCode::PAYLOAD_TOO_LARGE,
                "That is too large".to_owned(),
                "A form may have one MiB at most.".to_owned(),
            )
        })?;
        Form::read(&body)
    }
}

/// An address of this site to go back to: a path and nothing that a browser would take for a host.
pub fn back(address: &str) -> String {
    let fits = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains(['\\', '\r', '\n', '\t'])
        && address.len() < 4_000
        && address.is_ascii();
    if fits { address.to_owned() } else { "/inbox".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_site_are_gone_back_to() {
        assert_eq!(back("/queue?q=is%3Aopen"), "/queue?q=is%3Aopen");
        for address in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/x\r\nSet-Cookie: a=b",
            "/\t/evil",
        ] {
            assert_eq!(back(address), "/inbox", "{address:?}");
        }
    }

    #[test]
    fn forms_keep_what_stands_twice() {
        let form = Form::read(b"id=F-1&id=F-2&field.owner=ana&x=%00%ff").unwrap();
        assert_eq!(form.all("id").collect::<Vec<_>>(), ["F-1", "F-2"]);
        assert_eq!(form.under("field.").collect::<Vec<_>>(), [("owner", "ana")]);
        assert_eq!(form.get("nothing"), "");
    }
}
