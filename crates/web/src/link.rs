//! Links that work once: the first set-up, invitations, recovery, and the way into the demo.
//!
//! The link holds a secret; what is kept is its hash. Taking a link removes it, and only one taker
//! sees that it was there.

use serde::{Deserialize, Serialize};
use wardroom_desk::Millis;
use wardroom_service::{Desk, Person};
use wardroom_store::{Document, StoreError};

use crate::random;

/// The collection of links in the store.
pub const LINK: &str = "link";
/// How long a link for the first set-up works.
pub const SET_UP: Millis = 24 * 3_600_000;
/// How long an invitation works.
pub const INVITATION: Millis = 7 * 24 * 3_600_000;
/// How long a link for recovery works.
pub const RECOVERY: Millis = 24 * 3_600_000;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The first administrator.
    SetUp,
    /// Somebody who was invited sets their password.
    Join,
    /// Somebody who lost theirs sets another.
    Recover,
    /// A session begins at once.
    Enter,
}

impl Purpose {
    fn path(self) -> &'static str {
        match self {
            Purpose::SetUp => "setup",
            Purpose::Join => "join",
            Purpose::Recover => "recover",
            Purpose::Enter => "enter",
        }
    }
}

/// What is kept of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// Whom it is for; nobody where it is for the first set-up.
    #[serde(default)]
    pub login: String,
    /// The number of their record.
    #[serde(default)]
    pub no: u32,
    /// The second factor is turned off with it: the device is lost too.
    #[serde(default)]
    pub without_app: bool,
}

impl Link {
    /// A link for somebody.
    pub fn to(person: &Person, purpose: Purpose) -> Link {
        Link { purpose, login: person.login.clone(), no: person.no, without_app: false }
    }

    /// The link for the first set-up.
    pub fn set_up() -> Link {
        Link { purpose: Purpose::SetUp, login: String::new(), no: 0, without_app: false }
    }
}

/// Makes a link in the place of earlier ones to the same end; the address under the origin.
pub async fn make(desk: &Desk, origin: &str, link: &Link, lives: Millis) -> Result<String, StoreError> {
    remove(desk, &link.login, Some(link.purpose)).await?;
    let secret = random::secret();
    desk.store().put(&document(&random::kept(&secret), link, desk.now() + lives)?).await?;
    Ok(format!("{origin}/{}?key={secret}", link.purpose.path()))
}

/// Removes the links to somebody, of one purpose or all.
pub async fn remove(desk: &Desk, login: &str, purpose: Option<Purpose>) -> Result<(), StoreError> {
    for document in desk.store().list(LINK, Some(login), desk.now()).await? {
        let old: Option<Link> = serde_json::from_value(document.body).ok();
        if purpose.is_none() || old.is_none_or(|l| Some(l.purpose) == purpose) {
            desk.store().remove(LINK, &document.key).await?;
        }
    }
    Ok(())
}

/// What a secret leads to, without taking it.
pub async fn look(desk: &Desk, secret: &str, purpose: Purpose) -> Result<Option<Link>, StoreError> {
    let Some(document) = desk.store().get(LINK, &random::kept(secret), desk.now()).await? else {
        return Ok(None);
    };
    let link: Option<Link> = serde_json::from_value(document.body).ok();
    Ok(link.filter(|l| l.purpose == purpose))
}

/// Takes a link: it works no more.
pub async fn take(desk: &Desk, secret: &str, purpose: Purpose) -> Result<Option<Link>, StoreError> {
    let Some(link) = look(desk, secret, purpose).await? else { return Ok(None) };
    let taken = desk.store().remove(LINK, &random::kept(secret)).await?;
    Ok(taken.then_some(link))
}

/// Puts a link back that could not be followed.
pub async fn put_back(desk: &Desk, secret: &str, link: &Link) -> Result<(), StoreError> {
    desk.store().put(&document(&random::kept(secret), link, desk.now() + 3_600_000)?).await
}

fn document(key: &str, link: &Link, expires: Millis) -> Result<Document, StoreError> {
    Ok(Document {
        collection: LINK.to_owned(),
        key: key.to_owned(),
        owner: Some(link.login.clone()),
        body: serde_json::to_value(link).map_err(|e| StoreError::Other(e.to_string()))?,
        expires: Some(expires),
    })
}
