//! `--send` and `--into`: the result goes to a desk, over HTTP or straight into a store.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use wardroom_desk::intake::{Delivery, Envelope};
use wardroom_desk::{Actor, Caller};
use wardroom_model::{Confidence, Severity};
use wardroom_service::SystemClock;

use crate::args::ScanArgs;
use crate::delivery::{Place, envelope};
use crate::desk::place::StorePlace;
use crate::desk::{block_on, desk_over};
use crate::failure::usage;
use crate::output::Console;
use crate::scan::Scanned;

/// The environment variable that holds the token.
const TOKEN: &str = "WARDROOM_TOKEN";
/// How long a desk may take over a large scan.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends it, and tells what became of it.
pub fn run(options: &ScanArgs, scanned: &Scanned) -> anyhow::Result<()> {
    let complete = options.only.is_empty()
        && options.skip.is_empty()
        && options.severity == Severity::Info
        && options.min_confidence <= Confidence::Medium
        && options.baseline.is_none()
        && scanned.only_file.is_none()
        && !scanned.analysis.failed;
    let place = Place::of(
        &scanned.root,
        options.repository.as_deref(),
        options.branch.as_deref(),
        options.default_branch.as_deref(),
        complete,
    );
    let text = |file: &str| fs::read_to_string(scanned.root.join(file)).ok();
    let body = envelope(&scanned.report, &place, &text)?;
    let Some(outcome) = delivered(options.send.as_deref(), options.into.as_deref(), body)? else {
        return Ok(());
    };
    if !options.quiet {
        Console::stderr(&format!("wardroom: {} {}: {outcome}", place.repository, place.branch));
        if !complete {
            Console::stderr("wardroom: not everything was looked for, so nothing counts as gone");
        }
    }
    Ok(())
}

/// Sends an envelope to where it is asked to go, and says what became of it; none where it goes nowhere.
pub fn delivered(url: Option<&str>, store: Option<&Path>, body: Value) -> anyhow::Result<Option<String>> {
    let outcome = match (url, store) {
        (Some(url), _) => over_http(url, &body)?,
        (None, Some(path)) => into_store(path, body)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(told(&outcome)))
}

fn over_http(url: &str, body: &Value) -> anyhow::Result<Value> {
    let token = std::env::var(TOKEN).ok().filter(|t| !t.trim().is_empty()).ok_or_else(|| {
        usage(format!(
            "--send needs a token in the environment variable {TOKEN}; the Administration page makes one"
        ))
    })?;
    let address = format!("{}/api/v1/scans", url.trim_end_matches('/'));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let mut answer = agent
        .post(&address)
        .header("Authorization", &format!("Bearer {}", token.trim()))
        .header("Content-Type", "application/json")
        .send(serde_json::to_vec(body)?)
        .with_context(|| format!("{address} could not be reached"))?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().with_context(|| format!("{address} broke off"))?;
    let said: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if !status.is_success() {
        let detail = said.get("detail").and_then(Value::as_str).unwrap_or("it gives no reason");
        bail!("{address} refused the scan ({status}): {detail}");
    }
    Ok(said)
}

fn into_store(path: &Path, body: Value) -> anyhow::Result<Value> {
    let envelope: Envelope = serde_json::from_value(body)?;
    let delivery = Delivery::read(envelope)?;
    block_on(async {
        let store = StorePlace::from(path).open_or_create().await?.store;
        let desk = desk_over(store, Arc::new(SystemClock)).await?;
        let delivered = desk.deliver(&Caller::engine(Actor::Scan), &delivery).await?;
        Ok(serde_json::to_value(delivered)?)
    })
}

/// What became of it, in words.
fn told(outcome: &Value) -> String {
    if outcome.get("unchanged").and_then(Value::as_bool) == Some(true) {
        return "the same as last time, nothing was written".to_owned();
    }
    let counts = outcome.get("counts").and_then(Value::as_object);
    let words = ["seen", "opened", "carried", "returned", "adopted", "gone", "resolved"];
    let told: Vec<String> =
        words.iter().filter_map(|word| Some(format!("{} {word}", counts?.get(*word)?))).collect();
    told.join(", ")
}
