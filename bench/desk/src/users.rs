//! Many people at once, each asking for one page after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::USERS;
use crate::http::Browser;
use crate::made::{self, Chance, PEOPLE, REPOSITORIES, TEAMS};

/// What is measured how.
pub struct Options {
    pub origin: String,
    pub users: usize,
    pub seconds: u64,
    pub think: u64,
    pub pid: Option<u32>,
}

/// Most pages of one person, however fast they come.
const MOST: usize = 100_000;

/// Kinds of pages, and how many of a hundred are of each.
const KINDS: [(&str, u64); 8] = [
    ("list", 15),
    ("filter", 20),
    ("search", 20),
    ("record", 25),
    ("metrics", 6),
    ("inbox", 6),
    ("board", 4),
    ("group", 4),
];

/// One page that came: its kind and how long it took.
type Came = (usize, Duration);

/// Measures.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let browsers = (0..options.users)
        .map(|no| {
            let mut browser = Browser::new(&options.origin)?;
            browser.sign_in(&made::login((no % USERS) as u64))?;
            Ok(browser)
        })
        .collect::<anyhow::Result<Vec<Browser>>>()?;
    let highest = highest(browsers.first().context("one user at least is needed")?)?;
    let (errors, bytes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let end = begun + Duration::from_secs(options.seconds);
    let think = options.think;
    let people: Vec<_> = (1_u64..)
        .zip(browsers)
        .map(|(seed, browser)| {
            let (errors, bytes) = (Arc::clone(&errors), Arc::clone(&bytes));
            std::thread::spawn(move || {
                let chance = &mut Chance(seed * 7_919);
                let mut came: Vec<Came> = Vec::new();
                while Instant::now() < end && came.len() < MOST {
                    let (kind, path) = page(chance, highest);
                    match browser.get(&path) {
                        Ok(answer) if answer.status == 200 => {
                            bytes.fetch_add(answer.body.len(), Ordering::Relaxed);
                            came.push((kind, answer.took));
                        }
                        Ok(answer) => {
                            eprintln!("{path}: {}", answer.status);
                            errors.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            eprintln!("{path}: {error}");
                            errors.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    if errors.load(Ordering::Relaxed) > 1_000 {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(think / 2 + chance.below(think + 1)));
                }
                came
            })
        })
        .collect();
    let mut all: Vec<Came> = Vec::new();
    for person in people {
        all.extend(person.join().map_err(|_| anyhow::anyhow!("somebody panicked"))?);
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} users, {seconds:.0} s, think {think} ms, load {}", options.users, load());
    println!(
        "{:8} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "page", "requests", "p50 ms", "p95 ms", "p99 ms", "max ms"
    );
    for (at, (name, _)) in KINDS.iter().enumerate() {
        told(name, all.iter().filter(|(kind, _)| *kind == at).map(|(_, took)| *took).collect());
    }
    told("all", all.iter().map(|(_, took)| *took).collect());
    println!(
        "{:.1} requests/s, {} errors, {:.0} KB a page",
        all.len() as f64 / seconds,
        errors.load(Ordering::Relaxed),
        bytes.load(Ordering::Relaxed) as f64 / all.len().max(1) as f64 / 1e3
    );
    if let Some(pid) = options.pid {
        println!("server memory: {} MB now, {} MB at most", memory(pid, "VmRSS:"), memory(pid, "VmHWM:"));
    }
    Ok(())
}

fn told(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let Some(last) = took.len().checked_sub(1) else { return };
    let at = |percent: usize| took[(took.len() * percent).div_ceil(100).max(1) - 1].as_secs_f64() * 1e3;
    println!(
        "{name:8} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
        took.len(),
        at(50),
        at(95),
        at(99),
        took[last].as_secs_f64() * 1e3
    );
}

/// The highest number of a finding, from the queue.
fn highest(browser: &Browser) -> anyhow::Result<u64> {
    let page = browser.plain("/queue?q=kind:finding&sort=opened")?;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let first = text.split("/records/F-").nth(1).context("the queue shows no finding")?;
    Ok(first.chars().take_while(char::is_ascii_digit).collect::<String>().parse()?)
}

/// The next page somebody asks for. The parameters vary widely, so that nearly no page comes twice.
fn page(chance: &mut Chance, highest: u64) -> (usize, String) {
    let mut at = chance.below(100);
    let kind = KINDS.iter().position(|(_, share)| {
        let here = at < *share;
        at = at.wrapping_sub(*share);
        here
    });
    let kind = kind.unwrap_or(0);
    let severity = chance.one(&["critical", "high", "medium", "low", "high,critical"]);
    let state = chance.one(&["new", "confirmed", "in_progress", "resolved", "dismissed"]);
    let sort = chance.one(&["priority", "due", "severity", "age", "updated", "opened"]);
    let (repository, team) = (made::repository(chance.below(REPOSITORIES)), made::team(chance.below(TEAMS)));
    let (owner, rule) = (made::login(chance.below(PEOPLE)), made::rule(chance.below(60)));
    let noun = chance.one(&made::NOUNS);
    let days = 1 + chance.below(700);
    let search = |q: &str| {
        let q = form_urlencoded::byte_serialize(q.as_bytes()).collect::<String>();
        format!("q={q}")
    };
    let path = match KINDS[kind].0 {
        "list" => match chance.below(3) {
            0 => format!("/queue?sort={sort}"),
            1 => format!("/queue?{}&sort={sort}", search(&format!("kind:finding is:open age:>{days}d"))),
            _ => format!("/queue?{}&sort={sort}", search(&format!("kind:finding severity:{severity}"))),
        },
        "filter" => {
            let terms = match chance.below(5) {
                0 => format!("repository:\"{repository}\" severity:{severity}"),
                1 => format!("owner:{owner} is:late"),
                2 => format!("team:{team} state:{state} rule:{rule}"),
                3 => format!("rule:{rule} -severity:{severity} opened:<{days}d"),
                _ => format!("is:open no:owner severity:{severity} repository:\"{repository}\""),
            };
            format!("/queue?{}&sort={sort}", search(&format!("kind:finding {terms}")))
        }
        "search" => {
            let words = match chance.below(4) {
                0 => format!("{noun}_{} find_by", chance.below(40)),
                1 => format!("{noun} where is:open"),
                2 => format!("part_{}_controller", chance.below(600)),
                _ => format!("render action_{} severity:{severity}", chance.below(8)),
            };
            format!("/queue?{}", search(&words))
        }
        "record" => {
            format!("/records/F-{}", 1 + highest - chance.below(highest.saturating_sub(2_000).max(1)))
        }
        "metrics" => {
            let window = chance.one(&["30", "90", "365"]);
            match chance.below(4) {
                0 => format!("/metrics?window={window}"),
                1 => format!("/metrics?window={window}&team={team}"),
                2 => format!("/metrics?window={window}&{}", search(&format!("kind:finding opened:>{days}d"))),
                _ => format!("/metrics?window={window}&repository={}", repository.replace('/', "%2F")),
            }
        }
        "inbox" => "/inbox".to_owned(),
        "board" => format!("/board?{}", search(&format!("kind:finding team:{team} age:>{days}d"))),
        _ => {
            let field = chance.one(&["file", "rule", "owner", "scope"]);
            format!(
                "/queue?{}",
                search(&format!("kind:finding severity:{severity} age:<{days}d group:{field}"))
            )
        }
    };
    (kind, path)
}

/// A figure of a process in MB.
pub fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// The machine's load over a minute, five and fifteen.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
