//! Two years of a large team: scans are taken in by the desk's own rules, people then work on what
//! they found. Everything goes through the store's `append`, a simulated day at a time.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::{Context, bail};
use rayon::prelude::*;
use serde_json::json;
use wardroom_desk::intake::{Delivery, take};
use wardroom_desk::{Actor, Caller, Change, Command, Draft, Fields, Millis, Record, RecordId, World, decide};
use wardroom_program::Program;
use wardroom_service::{Clock, Desk, Progress, Settings, SystemClock};
use wardroom_store::{Append, Head, Store};
use wardroom_store_sqlite::{Options, SqliteStore};
use wardroom_web::{App, Origin, recovery_link};

use crate::http::Browser;
use crate::made::{self, Chance, PEOPLE, REPOSITORIES, TEAMS};
use crate::{PASSWORD, USERS};

const DAYS: u32 = 730;
const DAY: Millis = 86_400_000;
const HOUR: Millis = 3_600_000;
/// About how many findings one scan brings.
const SCAN: u32 = 150;
/// Days of work that people have in hand; what is older is left lying.
const IN_HAND: u64 = 40;

/// Makes the store.
pub fn run(path: &Path, findings: u32, events: u64) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} is there already", path.display());
    }
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let start = SystemClock.now() - Millis::from(DAYS) * DAY;
    let store = runtime.block_on(async {
        let store = SqliteStore::create(path, &Options::default()).await?;
        let key = store.public_key().to_vec();
        let store = Arc::new(store);
        people(Arc::clone(&store) as Arc<dyn Store>, key, start).await?;
        anyhow::Ok(store)
    })?;
    let head = runtime.block_on(store.head())?;
    // The next day is made up while the last is written.
    let (send, receive) = sync_channel(2);
    let maker = std::thread::spawn(move || Team::new(head, start).work(findings, events, &send));
    runtime.block_on(written(&store, &receive, begun))?;
    maker.join().map_err(|_| anyhow::anyhow!("the maker panicked"))?;
    let head = runtime.block_on(store.head())?;
    let store = Arc::into_inner(store).context("the store is held elsewhere")?;
    runtime.block_on(store.close())?;
    let seconds = begun.elapsed().as_secs_f64();
    let size = std::fs::metadata(path)?.len();
    println!(
        "{} records, {} events, {:.2} GB, filled in {seconds:.0} s",
        head.no,
        head.seq,
        size as f64 / 1e9
    );
    Ok(())
}

async fn written(store: &SqliteStore, days: &Receiver<Append>, begun: Instant) -> anyhow::Result<()> {
    let mut day = 0;
    while let Ok(append) = tokio::task::block_in_place(|| days.recv()) {
        let head = store.append(&append).await?;
        day += 1;
        if day % 50 == 0 {
            eprintln!("day {day}: {} events, {:.0} s", head.seq, begun.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// A clock that stands.
struct Stands(Millis);

impl Clock for Stands {
    fn now(&self) -> Millis {
        self.0
    }
}

/// The program, everybody, and passwords, set on the real pages.
async fn people(store: Arc<dyn Store>, public_key: Vec<u8>, start: Millis) -> anyhow::Result<()> {
    let program = Program::built_in();
    let settings = Settings { store, program: program.clone(), clock: Arc::new(Stands(start)) };
    let desk = Arc::new(Desk::open(settings).await?);
    let operator = Caller::engine(Actor::Operator);
    desk.apply(&operator, program, false, &Progress::default()).await?;
    for no in 0..PEOPLE {
        let role = if no == 0 { "admin" } else { "engineer" };
        let fields = [
            ("title", format!("Person Number{}", no + 1)),
            ("login", made::login(no)),
            ("team", made::team(no % TEAMS)),
            ("role", role.to_owned()),
        ];
        let fields: Fields = fields.map(|(name, value)| (name.to_owned(), json!(value))).into();
        desk.open_record(&operator, "person", fields, Vec::new()).await?;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = Origin(format!("http://{}", listener.local_addr()?));
    let settings = wardroom_web::Settings {
        desk: Arc::clone(&desk),
        rules: Vec::new(),
        origin: origin.clone(),
        public_key,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(wardroom_web::serve(App::new(settings), listener, async {
        let _ = stopped.await;
    }));
    for no in 0..USERS as u64 {
        let link = recovery_link(&desk, &origin, &made::login(no)).await?;
        let key = link.split_once("key=").map(|(_, key)| key.to_owned()).context("a link holds a key")?;
        let origin = origin.0.clone();
        tokio::task::spawn_blocking(move || {
            let form = [("key", key.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
            let answer = Browser::new(&origin)?.post("/recover", &form)?;
            if answer.status != 303 {
                bail!("a password could not be set: {}", answer.status);
            }
            Ok(())
        })
        .await??;
    }
    let _ = stop.send(());
    server.await??;
    Ok(())
}

/// Everybody and every team exists.
struct Everybody;

impl World for Everybody {
    fn person(&self, login: &str) -> bool {
        login.starts_with("user")
    }
    fn team(&self, name: &str) -> bool {
        name.starts_with("team-")
    }
    fn kind_of(&self, _: &RecordId) -> Option<String> {
        Some("finding".to_owned())
    }
}

struct Team {
    program: Program,
    head: Head,
    start: Millis,
    assets: Vec<Record>,
    /// What somebody may work on.
    hand: Vec<Record>,
    chance: Chance,
}

/// A day's events and the records after them, as they come together.
struct Day {
    append: Append,
    batch: u64,
}

impl Day {
    /// Takes in what was done in one go.
    fn put(&mut self, head: &mut Head, actor: &Actor, draft: Draft) -> Record {
        let (events, record) = draft.finish(head.seq + 1, self.batch, actor);
        head.seq += events.len() as u64;
        self.append.events.extend(events);
        self.append.records.push(record.clone());
        record
    }
}

impl Team {
    fn new(head: Head, start: Millis) -> Team {
        let (assets, hand) = (Vec::new(), Vec::new());
        Team { program: Program::built_in(), head, start, assets, hand, chance: Chance(1) }
    }

    /// Works for two years.
    fn work(mut self, findings: u32, events: u64, to: &SyncSender<Append>) {
        let (mut opened, first) = (0_u32, self.head.seq);
        for day in 0..DAYS {
            let at = self.start + Millis::from(day) * DAY;
            let mut today = Day { append: Append { at: at + DAY - 1, ..Append::default() }, batch: 0 };
            if day == 0 {
                self.open_assets(&mut today, at);
            }
            let share = |n: u64| n * u64::from(day + 1) / u64::from(DAYS);
            let wanted = u32::try_from(share(findings.into())).unwrap_or(u32::MAX) - opened;
            opened += wanted;
            let fresh = self.scans(&mut today, at + HOUR, wanted);
            let goal = share(events);
            let done = self.head.seq - first;
            self.people(&mut today, at + 8 * HOUR, goal.saturating_sub(done));
            self.hand.extend(fresh);
            let most = usize::try_from(u64::from(findings) * IN_HAND / u64::from(DAYS)).unwrap_or(0);
            while self.hand.len() > most.max(100) {
                let at = self.chance.below(self.hand.len() as u64);
                self.hand.swap_remove(usize::try_from(at).unwrap_or(0));
            }
            one_each(&mut today.append.records);
            if !today.append.events.is_empty() && to.send(today.append).is_err() {
                return;
            }
        }
    }

    fn open_assets(&mut self, today: &mut Day, at: Millis) {
        for no in 0..REPOSITORIES {
            let name = made::repository(no);
            let kind = &self.program.kinds["asset"];
            let id = RecordId::new(&kind.prefix, self.head.no + 1);
            let fields =
                [("title", &name), ("repository", &name)].map(|(n, v)| (n.to_owned(), json!(v))).into();
            self.head.no += 1;
            today.batch = self.head.seq + 1;
            let draft = Draft::new(id, kind, "active", fields, at);
            let record = today.put(&mut self.head, &Actor::Scan, draft);
            self.assets.push(record);
        }
    }

    /// The scans of a night, and what they find.
    fn scans(&mut self, today: &mut Day, at: Millis, wanted: u32) -> Vec<Record> {
        let mut scans = Vec::new();
        let mut left = wanted;
        while left > 0 {
            let many = left.min(SCAN);
            let seed = self.chance.next();
            scans.push((self.chance.below(REPOSITORIES), many, seed, self.head.no + 1));
            self.head.no += many;
            left -= many;
        }
        let program = &self.program;
        let apart = 6 * HOUR / Millis::try_from(scans.len().max(1)).unwrap_or(1);
        let taken: Vec<_> = scans
            .into_par_iter()
            .enumerate()
            .filter_map(|(no, (repository, many, seed, next))| {
                let name = made::repository(repository);
                let envelope = made::envelope(&name, made::codeowners(repository), many.into(), seed);
                let delivery = Delivery::read(serde_json::from_value(envelope).ok()?).ok()?;
                let at = at + Millis::try_from(no).unwrap_or(0) * apart;
                let taken = take(program, &Everybody, &delivery, Vec::new(), next, at).ok()?;
                Some((repository, delivery, taken, at))
            })
            .collect();
        let mut fresh = Vec::new();
        for (repository, delivery, taken, at) in taken {
            let asset = &mut self.assets[usize::try_from(repository).unwrap_or(0)];
            let mut draft = Draft::of(asset.clone(), at);
            draft.push(Change::Delivered {
                branch: delivery.branch,
                commit: delivery.commit,
                digest: delivery.digest,
                tool: delivery.tool,
                counts: taken.counts,
            });
            today.batch = self.head.seq + 1;
            *asset = today.put(&mut self.head, &Actor::Scan, draft);
            fresh.extend(taken.drafts.into_iter().map(|d| today.put(&mut self.head, &Actor::Scan, d)));
        }
        fresh
    }

    /// What people do in a day, until so many events were written.
    fn people(&mut self, today: &mut Day, at: Millis, wanted: u64) {
        let mut left = wanted;
        let mut done = 0;
        let mut again = Vec::new();
        while left > 0 && !self.hand.is_empty() {
            // A piece at a time is decided, so that all processors have work and the goal is met closely.
            let piece = (left / 2).clamp(1, 2_000).min(self.hand.len() as u64);
            let chosen: Vec<(Record, u64)> = (0..piece)
                .map(|_| {
                    let at = usize::try_from(self.chance.below(self.hand.len() as u64)).unwrap_or(0);
                    (self.hand.swap_remove(at), self.chance.next())
                })
                .collect();
            let program = &self.program;
            let decided: Vec<_> = chosen
                .into_par_iter()
                .enumerate()
                .map(|(no, (record, seed))| {
                    let no = done + Millis::try_from(no).unwrap_or(0);
                    act(program, record, &mut Chance(seed), at + no * 2_000)
                })
                .collect();
            done += Millis::try_from(piece).unwrap_or(0);
            for (actor, draft, leaves) in decided {
                if draft.changes.is_empty() {
                    continue;
                }
                today.batch = self.head.seq + 1;
                left = left.saturating_sub(draft.changes.len() as u64);
                let record = today.put(&mut self.head, &actor, draft);
                if !leaves {
                    again.push(record);
                }
            }
        }
        self.hand.append(&mut again);
    }
}

/// A record that changed twice in a day is written once, as it is at the end.
fn one_each(records: &mut Vec<Record>) {
    records.sort_by_key(|r| (r.id.no, std::cmp::Reverse(r.version)));
    records.dedup_by_key(|r| r.id.no);
}

/// What somebody does to a finding; whether nobody will look at it again.
fn act(program: &Program, record: Record, chance: &mut Chance, at: Millis) -> (Actor, Draft, bool) {
    let login = made::login(chance.skewed(PEOPLE));
    let Some(role) = program.policies.roles.iter().find(|r| r.name == "engineer").cloned() else {
        return (Actor::Policy, Draft::of(record, at), true);
    };
    let caller = Caller { actor: Actor::Person(login.clone()), role, login: Some(login.clone()), team: None };
    let fields = |pairs: &[(&str, String)]| -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    };
    let step = |name: &str, fields: Fields, because: &str| Command::Move {
        transition: name.to_owned(),
        fields,
        because: because.to_owned(),
    };
    let word = |chance: &mut Chance| chance.one(&made::NOUNS).to_owned();
    let comment = |chance: &mut Chance| Command::Comment {
        text: format!("The {} comes from the {} form; @{login} looks at it.", word(chance), word(chance)),
    };
    let label = |chance: &mut Chance| Command::Label {
        add: vec![chance.one(&["needs-test", "third-party", "quick-win", "sprint-12", "legacy"]).to_owned()],
        remove: Vec::new(),
    };
    let commit = format!("{:012x}", chance.next() >> 16);
    let command = match (record.state.as_str(), chance.below(100)) {
        ("new", 0..25) => {
            let team = made::team(chance.below(TEAMS));
            Command::Set {
                fields: fields(&[("owner", login.clone()), ("team", team)]),
                because: String::new(),
            }
        }
        ("new", 25..60) => step("confirm", Fields::new(), ""),
        ("new", 60..78) => {
            let why = chance.one(&[
                "false_positive",
                "false_positive",
                "used_in_tests",
                "not_exploitable",
                "wont_fix",
            ]);
            step(
                "dismiss",
                fields(&[("dismissal", why.to_owned())]),
                "The value is checked before it arrives here.",
            )
        }
        ("confirmed", 0..40) => step("start", Fields::new(), ""),
        ("confirmed", 40..60) | ("in_progress", 0..60) => {
            step("resolve", fields(&[("fixed_in", commit)]), "")
        }
        ("in_progress", 60..70) => step("stop", Fields::new(), ""),
        ("resolved", 0..15) => step("reopen", Fields::new(), "It still happens in staging."),
        ("dismissed", 0..15) => step("reconsider", Fields::new(), ""),
        (_, 80..92) => label(chance),
        _ => comment(chance),
    };
    let leaves = chance.often(if record.open { 12 } else { 60 });
    let draft = decide(program, &Everybody, &caller, record.clone(), command, at)
        .map_or_else(|_| Draft::of(record, at), |decided| decided.draft);
    (caller.actor, draft, leaves)
}
