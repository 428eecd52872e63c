//! What is written on a person's record about their account: sign-ins, second factors, tokens.
//!
//! Addresses are not among it. A record is read by many and kept for ever; an address is in the
//! session while that lives, and in the server's log.

use serde_json::json;
use wardroom_desk::{Actor, Caller, Change, Fields};
use wardroom_service::{Desk, Error, Person};
use wardroom_store::Document;

use crate::App;

/// Failed sign-ins within this time are one event.
const BURST: i64 = 15 * 60_000;

/// Writes something on a person's record, as done by somebody.
pub async fn write(
    desk: &Desk,
    no: u32,
    by: &Actor,
    what: &str,
    fields: &[(&str, &str)],
) -> Result<(), Error> {
    let fields: Fields = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let change = Change::Noted { what: what.to_owned(), fields };
    desk.note(&Caller::engine(by.clone()), no, change).await
}

/// Writes what somebody did with their own account.
pub async fn own(desk: &Desk, person: &Person, what: &str, fields: &[(&str, &str)]) -> Result<(), Error> {
    write(desk, person.no, &Actor::Person(person.login.clone()), what, fields).await
}

/// Writes that somebody failed to sign in with a name, once for many failures. It is done beside
/// the answer, which must not take longer where the name exists.
pub fn failed(app: &App, person: &Person, with: &'static str) {
    let (app, person) = (app.clone(), person.clone());
    tokio::spawn(async move {
        let burst = Document {
            collection: "sign-in-failed".to_owned(),
            key: person.login.clone(),
            owner: Some(person.login.clone()),
            body: json!({}),
            expires: Some(app.desk.now() + BURST),
        };
        let written = match app.desk.store().put_new(&burst, app.desk.now()).await {
            Ok(true) => {
                write(&app.desk, person.no, &Actor::Policy, "failed sign-in", &[("with", with)]).await
            }
            Ok(false) => Ok(()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            tracing::error!(%error, "a failed sign-in could not be written down");
        }
    });
}
