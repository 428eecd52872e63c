//! How work is done here: the program, its kinds, the rules; the ways into applications; the log.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wardroom_store::ledger;

use super::caller::ApiCaller;
use super::input::Path;
use super::problem::{self, Problem, Told};
use super::shapes::moment;
use super::show::Sight;
use crate::App;
use crate::random::hex;

/// The program in force.
#[derive(Serialize, ToSchema)]
pub struct Program {
    /// The organisation's name.
    name: String,
    /// Over all its files: two programs with one digest are the same.
    digest: String,
    /// Its kinds, by name.
    kinds: BTreeMap<String, Kind>,
    /// Roles, and how findings are matched.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    policies: Value,
}

/// A kind of record.
#[derive(Serialize, ToSchema)]
pub struct Kind {
    /// Its name.
    name: String,
    /// In words.
    title: String,
    /// What stands before the number of a record.
    prefix: String,
    /// What such a record is.
    summary: String,
    /// New records are confidential.
    confidential: bool,
    /// Roles that may open one by hand.
    opened_by: Vec<String>,
    /// What a record holds.
    #[schema(value_type = Vec<Value>)]
    fields: Value,
    /// States; the first is the one it opens in.
    #[schema(value_type = Vec<Value>)]
    states: Value,
    /// Ways from state to state, with who may take them.
    #[schema(value_type = Vec<Value>)]
    transitions: Value,
    /// When what has to be done.
    #[schema(value_type = Vec<Value>)]
    clocks: Value,
    /// Labels with a meaning.
    #[schema(value_type = Vec<Value>)]
    labels: Value,
    /// How a record may be tied to another.
    #[schema(value_type = Vec<Value>)]
    links: Value,
    /// Searches with a name.
    #[schema(value_type = Vec<Value>)]
    queues: Value,
}

fn json(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|e| Problem::broken(&e))
}

fn kind_of(kind: &wardroom_program::Kind) -> Result<Kind, Problem> {
    Ok(Kind {
        name: kind.name.clone(),
        title: kind.title.clone(),
        prefix: kind.prefix.clone(),
        summary: kind.summary.clone(),
        confidential: kind.confidential,
        opened_by: kind.opened_by.clone(),
        fields: json(&kind.fields)?,
        states: json(&kind.states)?,
        transitions: json(&kind.transitions)?,
        clocks: json(&kind.clocks)?,
        labels: json(&kind.labels)?,
        links: json(&kind.links)?,
        queues: json(&kind.queues)?,
    })
}

/// Read the program in force
#[utoipa::path(
    get, path = "/program", tag = "Program", operation_id = "getProgram",
    responses((status = 200, description = "The program.", body = Program)),
)]
pub async fn program(State(app): State<App>, _: ApiCaller) -> Result<Answer<Program>, Problem> {
    let program = app.desk.program();
    let kinds = program.kinds.iter().map(|(name, kind)| Ok((name.clone(), kind_of(kind)?)));
    Ok(Answer(Program {
        name: program.name.clone(),
        digest: program.digest.clone(),
        kinds: kinds.collect::<Result<_, Problem>>()?,
        policies: json(&program.policies)?,
    }))
}

/// Read a kind of record
#[utoipa::path(
    get, path = "/kinds/{kind}", tag = "Program", operation_id = "getKind",
    params(("kind" = String, Path, description = "Its name.", example = "finding")),
    responses(
        (status = 200, description = "The kind.", body = Kind),
        (status = 404, description = "The program has none of that name.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn kind(
    State(app): State<App>,
    _: ApiCaller,
    Path(name): Path<String>,
) -> Result<Answer<Kind>, Problem> {
    let program = app.desk.program();
    Ok(Answer(kind_of(program.kind(&name).ok_or_else(Problem::nothing)?)?))
}

/// A rule of the scan.
#[derive(Serialize, ToSchema)]
pub struct Rule {
    /// Its name.
    id: &'static str,
    /// What it finds.
    title: &'static str,
    /// The family, as reports name it.
    #[schema(value_type = String)]
    category: Value,
    /// The class of weakness.
    cwe: String,
    /// The severity where nothing in the place says otherwise.
    severity: String,
    /// The first paragraph of its page.
    summary: String,
}

/// List the rules of the scan
#[utoipa::path(
    get, path = "/rules", tag = "Program", operation_id = "listRules",
    responses((status = 200, description = "Every rule, by name.", body = Vec<Rule>)),
)]
pub async fn rules(State(app): State<App>, _: ApiCaller) -> Result<Answer<Vec<Rule>>, Problem> {
    let rules = app.rules.iter().map(|r| {
        Ok(Rule {
            id: r.id,
            title: r.title,
            category: json(&r.category)?,
            cwe: format!("CWE-{}", r.cwe.0),
            severity: r.severity.as_str().to_owned(),
            summary: r.summary(),
        })
    });
    Ok(Answer(rules.collect::<Result<_, Problem>>()?))
}

/// The ways into an application.
#[derive(Serialize, ToSchema)]
pub struct Surface {
    /// The repository.
    repository: String,
    /// The ways in, as the last scan of the branch that counts saw them.
    #[schema(value_type = Vec<Value>)]
    endpoints: Value,
}

/// Read the ways into an application
#[utoipa::path(
    get, path = "/surface/{repository}", tag = "Program", operation_id = "getSurface",
    params(("repository" = String, Path, description = "Its name; slashes in it may stand as they are.", example = "shop/web")),
    responses(
        (status = 200, description = "The ways in.", body = Surface),
        (status = 404, description = "No scan of it was sent.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn surface(
    State(app): State<App>,
    caller: ApiCaller,
    Path(repository): Path<String>,
) -> Result<Answer<Surface>, Problem> {
    // The application's own record says whether the caller may know of it.
    let known = app.desk.store().get("repository", &repository, app.desk.now()).await?;
    let asset = known.and_then(|d| d.body.get("asset")?.as_u64()).and_then(|no| u32::try_from(no).ok());
    if !asset.is_some_and(|no| Sight::of(&app, &caller).may(no)) {
        return Err(Problem::nothing());
    }
    match app.desk.surface(&repository).await? {
        endpoints @ Value::Array(_) => Ok(Answer(Surface { repository, endpoints })),
        _ => Err(Problem::nothing()),
    }
}

/// How far the log goes, and what was signed last.
#[derive(Serialize, ToSchema)]
pub struct AuditHead {
    /// The number of the last event.
    seq: u64,
    /// The first line of what is signed.
    origin: &'static str,
    /// The last signed statement of what the log held.
    checkpoint: Option<Checkpoint>,
    /// The Ed25519 key that checkpoints are checked with, in hex. Keep it elsewhere: who can change
    /// the store can change this answer too.
    public_key: String,
}

/// A signed statement of what the log held.
#[derive(Serialize, ToSchema)]
pub struct Checkpoint {
    /// How many events.
    size: u64,
    /// The root of the tree over them (RFC 6962), in hex.
    root: String,
    /// When.
    at: String,
    /// When, in milliseconds since 1970: as it is signed.
    millis: i64,
    /// Ed25519 over origin, size, root and time, in hex.
    signature: String,
}

/// Read how far the log goes
#[utoipa::path(
    get, path = "/audit/head", tag = "Audit", operation_id = "getAuditHead",
    responses((status = 200, description = "The head, and the last checkpoint.", body = AuditHead)),
)]
pub async fn audit_head(State(app): State<App>, _: ApiCaller) -> Result<Answer<AuditHead>, Problem> {
    let head = app.desk.store().head().await?;
    let checkpoint = app.desk.store().newest_checkpoint().await?.map(|c| Checkpoint {
        size: c.size,
        root: c.root,
        at: moment(c.at),
        millis: c.at,
        signature: c.signature,
    });
    Ok(Answer(AuditHead {
        seq: head.seq,
        origin: ledger::ORIGIN,
        checkpoint,
        public_key: hex(&app.public_key),
    }))
}

/// What a type of problem means.
#[derive(Serialize, ToSchema)]
pub struct ProblemType {
    /// The `type` of problems.
    r#type: String,
    /// The status it usually comes with.
    status: u16,
    /// In words.
    title: &'static str,
    /// What to do about it.
    help: &'static str,
}

/// List the types of problems
#[utoipa::path(
    get, path = "/problems", tag = "About", operation_id = "listProblems", security(()),
    responses((status = 200, description = "Every type.", body = Vec<ProblemType>)),
)]
pub async fn problems() -> Answer<Vec<ProblemType>> {
    let all = problem::ALL.iter().map(|k| ProblemType {
        r#type: format!("{}#{}", problem::TYPES, k.name),
        status: k.status.as_u16(),
        title: k.title,
        help: k.help,
    });
    Answer(all.collect())
}
