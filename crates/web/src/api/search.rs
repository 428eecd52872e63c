//! Searches: how they are read, what they count, what can stand where somebody is typing.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use wardroom_desk::query;

use super::caller::ApiCaller;
use super::input::Query;
use super::problem::{INVALID, Problem, Told};
use crate::App;

/// Fields that are counted where none are named.
const USUAL: &str = "kind,state,severity,rule,repository,owner,team,label";
/// Most fields counted at once.
const FIELDS: usize = 20;

/// Reads a search, with what is odd about it; what cannot be answered is a problem with its places.
pub fn read(app: &App, name: &str, text: &str) -> Result<(query::Query, Vec<String>), Problem> {
    let (query, mut problems) = query::Query::parse(text);
    problems.extend(query.check(app.desk.read().index.schema()));
    problems.sort_by_key(|p| p.span.start);
    let (warnings, wrong): (Vec<_>, Vec<_>) = problems.into_iter().partition(|p| p.warning);
    if wrong.is_empty() {
        return Ok((query, warnings.iter().map(ToString::to_string).collect()));
    }
    let places: Vec<_> =
        wrong.iter().map(|p| json!({"from": p.span.start, "to": p.span.end, "instead": p.instead})).collect();
    let problem = Problem::new(INVALID, "The search cannot be read.").with("places", places);
    Err(wrong.iter().fold(problem, |problem, p| problem.wrong(name, p.to_string())))
}

/// What counting takes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// The search.
    #[serde(default)]
    #[param(example = "is:open")]
    q: String,
    /// Names of fields, with commas between them.
    #[param(example = "severity,rule")]
    fields: Option<String>,
}

/// How often each value of a field occurs.
#[derive(Serialize, ToSchema)]
pub struct Facet {
    /// The field.
    field: String,
    /// The most frequent values, most frequent first.
    values: Vec<FacetValue>,
    /// How many other values occur.
    others: usize,
    /// How many records have no value.
    none: u64,
}

/// One value.
#[derive(Serialize, ToSchema)]
pub struct FacetValue {
    /// The value.
    value: String,
    /// How many records have it.
    count: u64,
    /// The term that finds them.
    term: String,
}

/// Counts of what a search finds.
#[derive(Serialize, ToSchema)]
pub struct Facets {
    /// How many records there are.
    total: u64,
    /// By field, in the order asked for.
    facets: Vec<Facet>,
}

/// Count what a search finds
#[utoipa::path(
    get, path = "/facets", tag = "Searches", operation_id = "countRecords", params(Count),
    responses(
        (status = 200, description = "Counts by value.", body = Facets),
        (status = 422, description = "The search cannot be read, or a field cannot be counted.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn facets(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<Count>,
) -> Result<Answer<Facets>, Problem> {
    let (query, _) = read(&app, "q", &asked.q)?;
    let named = asked.fields.as_deref().unwrap_or(USUAL);
    let names: Vec<&str> = named.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    if names.len() > FIELDS {
        return Err(Problem::invalid("fields", format!("at most {FIELDS} fields are counted at once")));
    }
    let shared = app.desk.read();
    let schema = shared.index.schema();
    if asked.fields.is_some()
        && let Some(unknown) = names.iter().find(|n| schema.column(n).is_none())
    {
        let name: String = unknown.chars().take(80).collect();
        return Err(Problem::invalid("fields", format!("`{name}` is no field that can be counted")));
    }
    let matches = shared.index.find(&query, &caller.eyes(), app.desk.now());
    let facets = shared.index.facets(&matches, &names, 50).into_iter().map(|f| Facet {
        field: f.field,
        values: f
            .values
            .into_iter()
            .map(|v| FacetValue { value: v.value, count: v.count, term: v.term })
            .collect(),
        others: f.others,
        none: f.none,
    });
    Ok(Answer(Facets { total: matches.len(), facets: facets.collect() }))
}

/// What completing takes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// What is typed so far.
    #[serde(default)]
    #[param(example = "sever")]
    q: String,
    /// Where, in bytes of it; at its end where nothing is said.
    #[param(example = 5)]
    at: Option<usize>,
}

/// What can stand where somebody is typing.
#[derive(Serialize, ToSchema)]
pub struct Completion {
    /// What to put there.
    text: String,
    /// A few words on it.
    hint: String,
    /// What it replaces begins here, in bytes.
    from: usize,
    /// And ends here.
    to: usize,
}

/// Complete a search
#[utoipa::path(
    get, path = "/complete", tag = "Searches", operation_id = "completeSearch", params(Typed),
    responses((status = 200, description = "What can stand there, best first.", body = Vec<Completion>)),
)]
pub async fn complete(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<Typed>,
) -> Result<Answer<Vec<Completion>>, Problem> {
    if asked.q.len() > 4 * query::LONGEST {
        return Err(Problem::invalid("q", format!("at most {} characters are read", query::LONGEST)));
    }
    let at = asked.at.unwrap_or(asked.q.len());
    let shared = app.desk.read();
    let found = query::complete(&asked.q, at, &shared.index, &caller.eyes());
    let completions = found.into_iter().map(|c| Completion {
        text: c.text,
        hint: c.hint,
        from: c.replace.start,
        to: c.replace.end,
    });
    Ok(Answer(completions.collect()))
}
