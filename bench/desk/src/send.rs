//! A scan sent twice, a step on one finding, a change of many.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::http::{Answer, Browser};
use crate::made;
use crate::users::load;

/// Times of one change.
const TIMES: u64 = 20;
/// How often a job is asked after, at most.
const ASKS: u32 = 3_000;

/// Measures.
pub fn run(origin: &str, token: &str, findings: u64, repository: &str, bulk: bool) -> anyhow::Result<()> {
    let mut browser = Browser::new(origin)?;
    // The seed follows from the name, so that each repository has findings of its own.
    let seed = repository.bytes().fold(17_u64, |seed, b| seed.wrapping_mul(31).wrapping_add(b.into()));
    let body = made::envelope(repository, made::codeowners(1), findings, seed % 0xffff_ffff).to_string();
    println!("{findings} findings, {:.1} MB, load {}", body.len() as f64 / 1e6, load());
    for what in ["sent", "sent again"] {
        let answer = browser.json("/api/v1/scans", token, &body)?;
        let told = whole(&answer)?;
        println!(
            "{what:12} {:.2} s, {} events, unchanged {}",
            answer.took.as_secs_f64(),
            told["events"],
            told["unchanged"]
        );
    }
    if !bulk {
        return Ok(());
    }
    browser.sign_in(&made::login(0))?;
    let search = format!("kind:finding repository:\"{repository}\"");
    let encoded: String = form_urlencoded::byte_serialize(search.as_bytes()).collect();
    let page = browser.plain(&format!("/queue?q={encoded}"))?;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let csrf = between(&text, "name=\"csrf\" value=\"").context("the page has a form")?;
    let no = between(&text, "/records/F-").context("the page shows a finding")?;
    let id = format!("F-{no}");

    let mut took = Vec::new();
    for no in 0..TIMES {
        let step = if no % 2 == 0 { "start" } else { "stop" };
        let page = browser.plain(&format!("/records/{id}"))?;
        let text = String::from_utf8_lossy(&page.body).into_owned();
        let version = between(&text, "name=\"version\" value=\"").context("the record has a version")?;
        let form = [("csrf", csrf.as_str()), ("version", &version), ("transition", step)];
        let answer = browser.post(&format!("/records/{id}/move"), &form)?;
        if answer.status != 303 {
            bail!("a step was refused: {}", answer.status);
        }
        took.push(answer.took);
    }
    took.sort_unstable();
    println!(
        "one step     {:.1} ms in the middle, {:.1} ms at most",
        ms(took[took.len() / 2]),
        ms(took[took.len() - 1])
    );

    let begun = Instant::now();
    let form = [
        ("csrf", csrf.as_str()),
        ("all", search.as_str()),
        ("label", "1"),
        ("labels", "measured"),
        ("back", "/queue"),
    ];
    let answer = browser.post("/bulk", &form)?;
    if answer.status != 303 || !answer.location.starts_with("/jobs/") {
        bail!("a change of many began no job: {} {}", answer.status, answer.location);
    }
    for _ in 0..ASKS {
        let page = browser.plain(&answer.location)?;
        let text = String::from_utf8_lossy(&page.body).into_owned();
        if let Some(at) = text.find(" changed.") {
            let from = text[..at].rfind('>').map_or(0, |from| from + 1);
            println!(
                "many         {:.2} s: {} changed",
                begun.elapsed().as_secs_f64(),
                text[from..at].trim()
            );
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the job did not end")
}

fn whole(answer: &Answer) -> anyhow::Result<Value> {
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!({}));
    if answer.status != 200 {
        bail!("{}: {told}", answer.status);
    }
    Ok(told)
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// What stands behind a text, up to the next quote, question mark or hash.
fn between(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split(['"', '?', '#']).next().map(str::to_owned)
}
