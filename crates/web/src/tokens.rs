//! Tokens of programs: what they may, until when, and who they are to the desk.
//!
//! A token is `wrd_ID_SECRET`. It is found by its id; of the secret, only the hash is kept. No token
//! administers, whoever made it.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use wardroom_desk::{Actor, Caller, Millis, Refused};
use wardroom_program::{Program, Role};
use wardroom_service::{Desk, Error, Person};
use wardroom_store::{Document, StoreError};

use crate::error::Failed;
use crate::{App, random, trail};

/// The collection of tokens in the store; the key is the id.
pub const TOKEN: &str = "token";
/// The longest that a token may live, in days.
pub const LONGEST: u32 = 366;
/// How often its last use is written down.
const TOUCH: Millis = 5 * 60_000;
/// What every token begins with, so that scanners of secrets know one.
const BEGINS: &str = "wrd_";

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send scans.
    Deliver,
    /// Read records.
    Read,
    /// Change records.
    Write,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 3] = [Scope::Deliver, Scope::Read, Scope::Write];

    /// `deliver`, `read`, `write`.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Deliver => "deliver",
            Scope::Read => "read",
            Scope::Write => "write",
        }
    }

    /// By its word.
    pub fn named(word: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What is kept of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// What people call it.
    pub name: String,
    /// Whose it is; nobody's where it is a service's.
    #[serde(default)]
    pub login: Option<String>,
    /// The number of that person's record.
    #[serde(default)]
    pub no: u32,
    /// The name of its role.
    pub role: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made, when it ends, and when it was last used, to within some minutes.
    pub made: Millis,
    pub ends: Millis,
    #[serde(default)]
    pub used: Option<Millis>,
    /// Who made it.
    pub by: Actor,
    hash: String,
}

/// Who a token is to the desk.
#[derive(Clone, Debug)]
pub struct TokenCaller {
    /// With the role that is left after its scopes: what they do not grant, the role does not either.
    pub caller: Caller,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Its id.
    pub id: String,
}

/// What somebody wants a token to be.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub name: &'a str,
    pub role: &'a str,
    pub scopes: &'a [Scope],
    pub days: u32,
    /// Whose it is to be; nobody's where it is a service's.
    pub owner: Option<&'a Person>,
}

/// Held while a token is changed or removed: one that was revoked is not written again by a use.
static WRITING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Makes a token for a service: its text, which is shown this once. For the command line, and for
/// administrators; `by` is who does it.
pub async fn make_token(
    desk: &Desk,
    name: &str,
    role: &str,
    scopes: &[&str],
    days: u32,
    by: &Actor,
) -> Result<String, Error> {
    let known = scopes.iter().map(|word| {
        Scope::named(word)
            .ok_or_else(|| Refused::invalid("scopes", format!("`{word}` is none of deliver, read, write")))
    });
    let scopes = known.collect::<Result<Vec<Scope>, Refused>>()?;
    make(desk, &Wanted { name, role, scopes: &scopes, days, owner: None }, by).await
}

/// Makes a token.
pub async fn make(desk: &Desk, wanted: &Wanted<'_>, by: &Actor) -> Result<String, Error> {
    let name = wanted.name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 60 || !name.chars().all(fits) {
        let problem = "letters, digits, `.`, `_` and `-` are needed, 60 at most";
        return Err(Refused::invalid("name", problem).into());
    }
    if wanted.scopes.is_empty() {
        return Err(Refused::invalid("scopes", "choose what it may be used for").into());
    }
    if wanted.days == 0 || wanted.days > LONGEST {
        return Err(Refused::invalid("days", format!("1 to {LONGEST} days are possible")).into());
    }
    let program = desk.program();
    let Some(role) = roles(&program, None).into_iter().find(|r| r.name == wanted.role) else {
        let problem = format!("`{}` is no role that a token may have", wanted.role);
        return Err(Refused::invalid("role", problem).into());
    };
    if let Some(owner) = wanted.owner
        && !roles(&program, Some(&owner.role)).iter().any(|r| r.name == role.name)
    {
        return Err(Refused::NotAllowed("a token of yours may do no more than you".to_owned()).into());
    }
    let owner = wanted.owner.map(|o| o.login.as_str());
    let _writing = WRITING.lock().await;
    if all(desk).await?.iter().any(|(_, t)| t.name == name && t.login.as_deref() == owner) {
        return Err(Refused::invalid("name", "there is a token with this name").into());
    }
    let (id, secret) = (random::hex(&random::bytes::<8>()), random::secret());
    let now = desk.now();
    let token = Token {
        name: name.to_owned(),
        login: owner.map(str::to_owned),
        no: wanted.owner.map_or(0, |o| o.no),
        role: role.name.clone(),
        scopes: wanted.scopes.to_vec(),
        made: desk.event_time(),
        ends: now + Millis::from(wanted.days) * 86_400_000,
        used: None,
        by: by.clone(),
        hash: random::kept(&secret),
    };
    desk.store().put(&document(&id, &token)?).await?;
    note(desk, by, "token made", &token).await?;
    Ok(format!("{BEGINS}{id}_{secret}"))
}

/// Who a token is; none where it is unknown, over, revoked, or its owner works here no more.
pub async fn token_caller(app: &App, bearer: &str) -> Result<Option<TokenCaller>, Failed> {
    let desk = &app.desk;
    let Some((id, secret)) = bearer.strip_prefix(BEGINS).and_then(|t| t.split_once('_')) else {
        return Ok(None);
    };
    if id.len() != 16 || secret.len() != 64 {
        return Ok(None);
    }
    let Some(token) = one(desk, id).await? else { return Ok(None) };
    let right = bool::from(random::kept(secret).as_bytes().ct_eq(token.hash.as_bytes()));
    if !right {
        return Ok(None);
    }
    let Some(caller) = caller(desk, &token) else { return Ok(None) };
    let now = desk.now();
    if token.used.is_none_or(|used| now - used > TOUCH) {
        let _writing = WRITING.lock().await;
        if one(desk, id).await?.is_none() {
            return Ok(None);
        }
        // A disk without room keeps nobody from reading.
        if let Err(error) =
            desk.store().put(&document(id, &Token { used: Some(now), ..token.clone() })?).await
        {
            tracing::warn!(%error, "the use of a token could not be written down");
        }
    }
    Ok(Some(TokenCaller { caller, scopes: token.scopes, id: id.to_owned() }))
}

fn caller(desk: &Desk, token: &Token) -> Option<Caller> {
    let shared = desk.read();
    let roles_of = |most: Option<&str>| roles(&shared.program, most);
    let mut team = None;
    let mut role = match &token.login {
        None => roles_of(None).into_iter().find(|r| r.name == token.role)?.clone(),
        Some(login) => {
            let owner = shared.people.get(login).filter(|p| p.active && p.no == token.no)?;
            if token.made < owner.since {
                return None;
            }
            team.clone_from(&owner.team);
            // The role may be gone by now, and the owner may have less than when it was made.
            roles_of(None).iter().find(|r| r.name == token.role)?;
            let may = roles_of(Some(&owner.role));
            may.iter().find(|r| r.name == token.role).or(may.first()).copied()?.clone()
        }
    };
    role.edit &= token.scopes.contains(&Scope::Write);
    role.comment &= token.scopes.contains(&Scope::Write);
    role.deliver &= token.scopes.contains(&Scope::Deliver);
    let name = match &token.login {
        Some(login) => format!("{login}/{}", token.name),
        None => token.name.clone(),
    };
    Some(Caller { actor: Actor::Token(name), role, login: token.login.clone(), team })
}

/// Roles that a token may have, from the one that may most: none that administers, and none above
/// the role `most`.
pub fn roles<'a>(program: &'a Program, most: Option<&str>) -> Vec<&'a Role> {
    let all = &program.policies.roles;
    let from = match most {
        Some(most) => all.iter().position(|r| r.name == most).unwrap_or(all.len()),
        None => 0,
    };
    all[from..].iter().filter(|r| !r.admin).collect()
}

/// Every token that has not ended, with its id.
pub async fn all(desk: &Desk) -> Result<Vec<(String, Token)>, StoreError> {
    let documents = desk.store().list(TOKEN, None, desk.now()).await?;
    Ok(documents.into_iter().filter_map(|d| Some((d.key, serde_json::from_value(d.body).ok()?))).collect())
}

async fn one(desk: &Desk, id: &str) -> Result<Option<Token>, Failed> {
    let document = desk.store().get(TOKEN, id, desk.now()).await?;
    document.map(|d| serde_json::from_value(d.body).map_err(|e| Failed::broken(&e))).transpose()
}

/// Revokes a token; with `owner`, only one of theirs. What it was called.
pub async fn revoke(
    desk: &Desk,
    id: &str,
    owner: Option<&str>,
    by: &Actor,
) -> Result<Option<String>, Failed> {
    let _writing = WRITING.lock().await;
    let Some(token) = one(desk, id).await?.filter(|t| owner.is_none() || t.login.as_deref() == owner) else {
        return Ok(None);
    };
    desk.store().remove(TOKEN, id).await?;
    note(desk, by, "token revoked", &token).await?;
    Ok(Some(token.name))
}

/// On the record of its owner, or else of who does it.
async fn note(desk: &Desk, by: &Actor, what: &str, token: &Token) -> Result<(), Error> {
    let no = {
        let shared = desk.read();
        let login = token.login.as_deref().or(match by {
            Actor::Person(login) => Some(login.as_str()),
            _ => None,
        });
        login.and_then(|l| shared.people.get(l)).map(|p| p.no)
    };
    let scopes: Vec<&str> = token.scopes.iter().map(|s| s.word()).collect();
    match no {
        Some(no) => {
            let fields =
                [("token", token.name.as_str()), ("role", &token.role), ("scopes", &scopes.join(" "))];
            trail::write(desk, no, by, what, &fields).await
        }
        None => {
            tracing::warn!(token = token.name, role = token.role, by = %by, "{what}");
            Ok(())
        }
    }
}

fn document(id: &str, token: &Token) -> Result<Document, StoreError> {
    Ok(Document {
        collection: TOKEN.to_owned(),
        key: id.to_owned(),
        owner: token.login.clone(),
        body: serde_json::to_value(token).map_err(|e| StoreError::Other(e.to_string()))?,
        expires: Some(token.ends),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use serde_json::json;
    use wardroom_desk::{Command, Fields, PERSON};
    use wardroom_service::{Clock, Settings};
    use wardroom_store_sqlite::{Options, SqliteStore};

    use super::*;
    use crate::Origin;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> i64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    async fn app() -> (App, Arc<Hand>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("desk.db"), &Options::default()).await.unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(1_795_000_000_000)));
        let settings =
            Settings { store: Arc::new(store), program: Program::built_in(), clock: Arc::clone(&clock) as _ };
        let desk = Arc::new(Desk::open(settings).await.unwrap());
        let origin = Origin("http://127.0.0.1:7000".to_owned());
        let app = App::new(crate::Settings { desk, rules: Vec::new(), origin, public_key: Vec::new() });
        (app, clock, folder)
    }

    async fn person(app: &App, login: &str, role: &str) -> Person {
        let fields: Fields = [("title", login), ("login", login), ("role", role), ("team", "web")]
            .into_iter()
            .map(|(n, v)| (n.to_owned(), json!(v)))
            .collect();
        let operator = Caller::engine(Actor::Operator);
        app.desk.open_record(&operator, PERSON, fields, Vec::new()).await.unwrap();
        app.desk.read().people.get(login).cloned().unwrap()
    }

    async fn act(app: &App, person: &Person, command: Command) {
        let id = app.desk.read().index.id(person.no).unwrap();
        let mut caller = Caller::engine(Actor::Operator);
        caller.role = app.desk.program().policies.roles[0].clone();
        app.desk.act(&caller, &id, None, command).await.unwrap();
    }

    #[tokio::test]
    async fn a_token_is_what_its_role_and_scopes_leave() {
        let (app, clock, _folder) = app().await;
        let operator = Actor::Operator;
        let token = make_token(&app.desk, "ci", "engineer", &["deliver"], 2, &operator).await.unwrap();
        let found = token_caller(&app, &token).await.unwrap().unwrap();
        assert_eq!(found.caller.actor, Actor::Token("ci".to_owned()));
        let role = &found.caller.role;
        assert!(role.deliver && !role.edit && !role.comment && !role.admin);
        assert_eq!(found.scopes, [Scope::Deliver]);

        let (id, _) = token[4..].split_once('_').unwrap();
        for wrong in [
            String::new(),
            "wrd_".to_owned(),
            token[..token.len() - 1].to_owned(),
            format!("{}0", &token[..token.len() - 1]),
            format!("{token}0"),
            format!("wrd_{id}_{}", "é".repeat(32)),
            token.replace("wrd_", "WRD_"),
        ] {
            let same = wrong == token;
            assert!(same || token_caller(&app, &wrong).await.unwrap().is_none(), "{wrong}");
        }
        clock.0.fetch_add(2 * 86_400_000 - 1, Ordering::SeqCst);
        assert!(token_caller(&app, &token).await.unwrap().is_some());
        clock.0.fetch_add(1, Ordering::SeqCst);
        assert!(token_caller(&app, &token).await.unwrap().is_none(), "it has ended");
    }

    #[tokio::test]
    async fn its_use_is_written_down_now_and_then() {
        let (app, clock, _folder) = app().await;
        let token = make_token(&app.desk, "ci", "lead", &["read"], 9, &Actor::Operator).await.unwrap();
        let used = async || all(&app.desk).await.unwrap()[0].1.used;
        assert_eq!(used().await, None);
        token_caller(&app, &token).await.unwrap();
        let first = used().await;
        assert_eq!(first, Some(app.desk.now()));
        clock.0.fetch_add(TOUCH, Ordering::SeqCst);
        token_caller(&app, &token).await.unwrap();
        assert_eq!(used().await, first);
        clock.0.fetch_add(1, Ordering::SeqCst);
        token_caller(&app, &token).await.unwrap();
        assert_eq!(used().await, Some(app.desk.now()));

        let id = all(&app.desk).await.unwrap()[0].0.clone();
        assert_eq!(revoke(&app.desk, &id, Some("ana"), &Actor::Operator).await.unwrap(), None, "not theirs");
        let revoked = revoke(&app.desk, &id, None, &Actor::Operator).await.unwrap();
        assert_eq!(revoked.as_deref(), Some("ci"));
        assert!(token_caller(&app, &token).await.unwrap().is_none());
        assert!(all(&app.desk).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_token_of_somebody_goes_with_them() {
        let (app, clock, _folder) = app().await;
        let ana = person(&app, "ana", "engineer").await;
        let scopes = Scope::ALL;
        let wanted = Wanted { name: "laptop", role: "engineer", scopes: &scopes, days: 9, owner: Some(&ana) };
        let token = make(&app.desk, &wanted, &Actor::Person("ana".to_owned())).await.unwrap();
        let found = token_caller(&app, &token).await.unwrap().unwrap();
        assert_eq!(found.caller.actor.to_string(), "token:ana/laptop");
        assert_eq!((found.caller.login.as_deref(), found.caller.team.as_deref()), (Some("ana"), Some("web")));
        assert!(found.caller.role.confidential && found.caller.role.edit);

        let role =
            Command::Set { fields: [("role".to_owned(), json!("viewer"))].into(), because: String::new() };
        act(&app, &ana, role).await;
        let found = token_caller(&app, &token).await.unwrap().unwrap();
        assert!(!found.caller.role.confidential && !found.caller.role.edit, "they may less by now");

        let moved = |transition: &str| Command::Move {
            transition: transition.to_owned(),
            fields: Fields::new(),
            because: "test".to_owned(),
        };
        clock.0.fetch_add(1_000, Ordering::SeqCst);
        act(&app, &ana, moved("suspend")).await;
        assert!(token_caller(&app, &token).await.unwrap().is_none());
        act(&app, &ana, moved("restore")).await;
        assert!(token_caller(&app, &token).await.unwrap().is_none(), "it does not come back with them");
    }
}
