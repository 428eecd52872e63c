//! What a page or the API says when something cannot be done. Nothing of the inside is shown.

use askama::Template;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use wardroom_desk::Refused;
use wardroom_service::Error;
use wardroom_store::StoreError;

use crate::api::problem::Problem;

/// Why a page is not shown, or an action not taken.
#[derive(Debug)]
pub enum Failed {
    /// Not signed in: to the sign-in page, and from there to this address.
    SignIn(String),
    /// Something else has to be done first, at this address.
    Elsewhere(&'static str),
    /// With a status, a heading and what to do about it.
    Page(StatusCode, String, String),
    /// Refused by the desk.
    Refused(Refused),
}

impl Failed {
    /// There is no such page, or the caller may not know of it.
    pub fn nothing() -> Failed {
        Failed::Page(
            StatusCode::NOT_FOUND,
            "There is nothing here".to_owned(),
            "The address is wrong, or you may not see what it leads to.".to_owned(),
        )
    }

    /// The caller's role is not enough.
    pub fn not_allowed(what: &str) -> Failed {
        Failed::Refused(Refused::NotAllowed(what.to_owned()))
    }

    /// The request makes no sense.
    pub fn bad(what: impl Into<String>) -> Failed {
        Failed::Page(StatusCode::BAD_REQUEST, "That cannot be read".to_owned(), what.into())
    }

    /// Something broke: it is logged, and told without particulars.
    pub fn broken(error: &dyn std::fmt::Display) -> Failed {
        tracing::error!(%error, "a request failed");
        Failed::Page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something broke".to_owned(),
            "Nothing was lost. Try again; if it stays, your administrator finds the reason in the log."
                .to_owned(),
        )
    }

    /// Status, heading, and what to do.
    pub fn told(&self) -> (StatusCode, String, String) {
        match self {
            Failed::SignIn(_) => {
                (StatusCode::UNAUTHORIZED, "Sign in first".to_owned(), "Your session is over.".to_owned())
            }
            Failed::Elsewhere(_) => (
                StatusCode::FORBIDDEN,
                "Set up your second factor first".to_owned(),
                "Your account asks for one.".to_owned(),
            ),
            Failed::Page(status, heading, text) => (*status, heading.clone(), text.clone()),
            Failed::Refused(refused) => {
                let (status, heading) = match refused {
                    Refused::NoRecord(_) => (StatusCode::NOT_FOUND, "There is nothing here"),
                    Refused::NotAllowed(_) => (StatusCode::FORBIDDEN, "You may not do that"),
                    Refused::Stale { .. } => {
                        (StatusCode::CONFLICT, "Somebody changed this record while you were editing")
                    }
                    Refused::NotNow(_) => (StatusCode::CONFLICT, "That does not work now"),
                    Refused::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "A value is wrong"),
                };
                (status, heading.to_owned(), refused.to_string())
            }
        }
    }

    /// As problem details (RFC 9457), for the API.
    pub fn problem(&self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Failed::Refused(refused)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => Failed::Refused(refused),
            Error::Cancelled => Failed::bad("It was stopped."),
            Error::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        if let StoreError::Unwritable(_) = &error {
            tracing::error!(%error, "the store cannot be written");
            return Failed::Page(
                StatusCode::INSUFFICIENT_STORAGE,
                "The store cannot be written".to_owned(),
                "Nothing was changed. Your administrator has to make room on its disk.".to_owned(),
            );
        }
        if let StoreError::Unavailable(_) = &error {
            tracing::error!(%error, "the store does not answer");
            return Failed::Page(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer".to_owned(),
                "The desk cannot read or keep anything for the moment. Wait some seconds and load the page again; \
                 then look whether what you did last is there."
                    .to_owned(),
            );
        }
        Failed::broken(&error)
    }
}

impl From<askama::Error> for Failed {
    fn from(error: askama::Error) -> Self {
        Failed::broken(&error)
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    css: String,
    icon: String,
    status: u16,
    heading: String,
    text: String,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        if let Failed::SignIn(next) = &self {
            let next: String = url_encode(next);
            return Redirect::to(&format!("/sign-in?next={next}")).into_response();
        }
        if let Failed::Elsewhere(address) = self {
            return Redirect::to(address).into_response();
        }
        let (status, heading, text) = self.told();
        let page = ErrorPage {
            css: crate::assets::address("wardroom.css"),
            icon: crate::assets::address("wardroom.svg"),
            status: status.as_u16(),
            heading,
            text,
        };
        match page.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => (status, "The page could not be made.").into_response(),
        }
    }
}

/// Any address that leads nowhere.
pub async fn nothing_here(uri: Uri) -> Response {
    let failed = Failed::nothing();
    if uri.path().starts_with("/api/") { failed.problem() } else { failed.into_response() }
}

/// A text as part of an address.
pub fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
