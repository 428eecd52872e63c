//! Figures on how the work goes. Each carries the search that opens the records behind it.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use wardroom_desk::metrics::{self, Scope};

use super::caller::ApiCaller;
use super::input::Query;
use super::problem::{Problem, Told};
use super::search;
use crate::App;

/// What figures take.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The search that the figures are limited to.
    #[serde(default)]
    #[param(example = "kind:finding")]
    q: String,
    /// Weeks of the backlog, 13 where nothing is said.
    #[param(example = 4, minimum = 1, maximum = 104)]
    weeks: Option<u32>,
}

/// A number, and the search that finds the records behind it.
#[derive(Serialize, ToSchema)]
pub struct Count {
    /// How many.
    count: u64,
    /// Finds them.
    search: String,
}

impl From<metrics::Count> for Count {
    fn from(count: metrics::Count) -> Count {
        Count { count: count.count, search: count.search }
    }
}

/// A week.
#[derive(Serialize, ToSchema)]
pub struct Week {
    /// Its Monday.
    monday: String,
    /// Opened in it.
    opened: Count,
    /// Closed in it.
    closed: Count,
    /// Open when it was over.
    open: Count,
}

/// How a clock was kept, for one severity.
#[derive(Serialize, ToSchema)]
pub struct Promise {
    /// The clock.
    clock: String,
    /// The severity; null for records without one.
    severity: Option<String>,
    /// Done in time.
    met: Count,
    /// Done late.
    missed: Count,
    /// Not done; there is time.
    running: Count,
    /// Not done, and late.
    late: Count,
    /// Standing still.
    paused: Count,
}

/// Open records of one severity and age.
#[derive(Serialize, ToSchema)]
pub struct Age {
    /// The severity; null for records without one.
    severity: Option<String>,
    /// From so many days on.
    from: u32,
    /// Up to so many days; null for the oldest.
    to: Option<u32>,
    /// How many.
    open: Count,
}

/// Figures.
#[derive(Serialize, ToSchema)]
pub struct Figures {
    /// Week by week, the present one last.
    backlog: Vec<Week>,
    /// Clocks, by severity.
    promises: Vec<Promise>,
    /// Open records by severity and age.
    ages: Vec<Age>,
}

/// Read figures
#[utoipa::path(
    get, path = "/metrics", tag = "Searches", operation_id = "getMetrics", params(Asked),
    responses(
        (status = 200, description = "Figures of what the search finds.", body = Figures),
        (status = 422, description = "The search cannot be read.", body = Told, content_type = "application/problem+json"),
    ),
)]
pub async fn metrics(
    State(app): State<App>,
    caller: ApiCaller,
    Query(asked): Query<Asked>,
) -> Result<Answer<Figures>, Problem> {
    let (query, _) = search::read(&app, "q", &asked.q)?;
    let weeks = super::input::limit(asked.weeks, 13, 104)
        .map_err(|_| Problem::invalid("weeks", "1 to 104 is possible"))?;
    let shared = app.desk.read();
    let now = app.desk.now();
    let matches = shared.index.find(&query, &caller.eyes(), now);
    let scope = &Scope::new(&shared.index, &query, &matches, now);
    let backlog = metrics::backlog(scope, weeks).into_iter().map(|w| Week {
        monday: w.monday.to_string(),
        opened: w.opened.into(),
        closed: w.closed.into(),
        open: w.open.into(),
    });
    let promises = metrics::promises(scope, None).into_iter().map(|p| Promise {
        clock: p.clock,
        severity: p.severity.map(|s| s.to_string()),
        met: p.met.into(),
        missed: p.missed.into(),
        running: p.running.into(),
        late: p.late.into(),
        paused: p.paused.into(),
    });
    let ages = metrics::ages(scope).into_iter().map(|a| Age {
        severity: a.severity.map(|s| s.to_string()),
        from: a.band.from,
        to: a.band.to,
        open: a.count.into(),
    });
    Ok(Answer(Figures { backlog: backlog.collect(), promises: promises.collect(), ages: ages.collect() }))
}
