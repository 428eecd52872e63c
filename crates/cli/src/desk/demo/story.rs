//! Twelve weeks of a small security team: scans, triage, fixes, an exception, questions and answers.
//! Every step is done by the desk itself, at the time at which it is told to have happened.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use wardroom_desk::intake::{Delivery, Envelope};
use wardroom_desk::{Actor, Caller, Command, Fields, Millis, Query, Record, RecordId, Refused, Viewer};
use wardroom_model::Confidence;
use wardroom_service::{Desk, Error};
use wardroom_source::Tree;

use super::{StoryClock, tree};
use crate::analysis;
use crate::delivery::{Place, envelope};
use crate::progress::Progress;

/// Who looks at the demo.
pub const VISITOR: &str = "mara";

const DAY: Millis = 86_400_000;
const HOUR: Millis = 3_600_000;
/// How many days the story has.
const DAYS: i64 = 84;

const PEOPLE: [(&str, &str, &str, &str); 5] = [
    ("mara", "Mara Voss", "admin", "appsec"),
    ("jonas", "Jonas Krol", "engineer", "appsec"),
    ("ines", "Ines Ribeiro", "lead", "appsec"),
    ("tariq", "Tariq Aydin", "developer", "platform"),
    ("noor", "Noor de Wit", "developer", "bookings"),
];

const CODEOWNERS: &str = "# Who answers for what
*                            @harbour/bookings
/config/                     @tariq @harbour/platform
/Gemfile.lock                @tariq @harbour/platform
/app/services/               @harbour/platform
/app/controllers/admin/      @ines @harbour/appsec
/app/models/user.rb          @jonas @harbour/appsec
";

/// Days on which the application was scanned: weekly, and after each change.
fn scanned(days_ago: i64) -> bool {
    days_ago % 7 == 0 || tree::EDITS.iter().any(|e| e.days_ago == days_ago)
}

/// The moment at which the story begins.
pub fn beginning(now: Millis) -> Millis {
    now - DAYS * DAY - 10 * HOUR
}

/// Tells it, up to now.
pub async fn tell(desk: &Arc<Desk>, clock: &StoryClock, now: Millis) -> anyhow::Result<()> {
    let operator = Caller { actor: Actor::Operator, ..Caller::engine(Actor::Operator) };
    for (login, name, role, team) in PEOPLE {
        let fields: Fields = [("login", login), ("title", name), ("role", role), ("team", team)]
            .map(|(k, v)| (k.to_owned(), json!(v)))
            .into();
        desk.open_record(&operator, "person", fields, Vec::new()).await?;
    }
    let mut teller = Teller { desk, clock, turn: 0, asked: false };
    for days_ago in (0..=DAYS).rev() {
        let morning = now - days_ago * DAY - 6 * HOUR;
        clock.set(morning);
        desk.tick().await?;
        if scanned(days_ago) {
            teller.scan(tree::on(days_ago), "main", &tree::commit(days_ago)).await?;
        }
        let weekday = desk.program().calendar.zoned(morning).weekday();
        if desk.program().calendar.working.contains(&weekday) {
            teller.work(days_ago, morning).await?;
        }
    }
    clock.set(now - HOUR);
    teller.scan(tree::branch(), "feature/berth-auctions", &tree::commit(-1)).await
}

struct Teller<'a> {
    desk: &'a Arc<Desk>,
    clock: &'a StoryClock,
    turn: usize,
    asked: bool,
}

impl Teller<'_> {
    async fn scan(&mut self, tree: Tree, branch: &str, commit: &str) -> anyhow::Result<()> {
        let texts: HashMap<String, String> = tree
            .files
            .iter()
            .map(|f| (f.path.to_string(), String::from_utf8_lossy(&f.text).into_owned()))
            .collect();
        let progress = Progress::start(true);
        let (mut analysis, _) = analysis::of(tree, &[], &[], None, &progress)?;
        let mut report = analysis.report("harbour".to_owned(), 0, Vec::new());
        report.findings = std::mem::take(&mut analysis.findings);
        report.findings.retain(|f| f.confidence >= Confidence::Medium);
        report.rules = crate::rules::all();
        report.rules.sort_by_key(|r| r.id);
        let place = Place {
            repository: "harbour/office".to_owned(),
            branch: branch.to_owned(),
            default_branch: "main".to_owned(),
            commit: commit.to_owned(),
            codeowners: CODEOWNERS.to_owned(),
            complete: true,
        };
        let body = envelope(&report, &place, &|file| texts.get(file).cloned())?;
        let envelope: Envelope = serde_json::from_value(body)?;
        let delivery = Delivery::read(envelope)?;
        self.desk.deliver(&Caller::engine(Actor::Scan), &delivery).await?;
        Ok(())
    }

    /// One day's work: new findings are looked at, the most urgent first, and old ones move on.
    async fn work(&mut self, days_ago: i64, morning: Millis) -> anyhow::Result<()> {
        self.clock.set(morning + HOUR);
        // Nobody has come to what came last yet.
        let many = if days_ago < 6 { 1 } else { 3 };
        for record in self.found("kind:finding state:new", many).await? {
            self.triage(&record).await?;
        }
        self.clock.set(morning + 3 * HOUR);
        if days_ago % 3 == 0 {
            for record in self.found("kind:finding state:confirmed has:owner sort:due", 1).await? {
                let owner = record.text("owner").to_owned();
                self.command(&owner, &record.id, step("start", &[], "")).await?;
                self.command(&owner, &record.id, say("I have this one; a change is on its way.")).await?;
            }
        }
        // Whichever of these days is a working one.
        if days_ago <= 27 && !self.asked {
            self.asked = true;
            self.exceptions().await?;
        } else if days_ago <= 25 {
            for record in self.found("kind:exception state:requested", 1).await? {
                self.command(
                    "ines",
                    &record.id,
                    step("approve", &[("approver", "ines")], "The upgrade is planned and dated."),
                )
                .await?;
            }
        }
        Ok(())
    }

    async fn triage(&mut self, record: &Record) -> anyhow::Result<()> {
        self.turn += 1;
        let who = if self.turn.is_multiple_of(3) { "ines" } else { "jonas" };
        let id = &record.id;
        if record.text("owner").is_empty() {
            let owner = ["jonas", "noor", "ines", "tariq", "mara"][self.turn % 5];
            self.command(who, id, set("owner", owner)).await?;
        }
        match record.text("rule") {
            // The team has found these to be of no use here.
            "render-path" | "unbounded-limit" | "user-made-regexp" | "timing-unsafe-comparison" => {
                let why = "The values come from a list that the page itself makes; nothing else is taken.";
                self.command(who, id, step("dismiss", &[("dismissal", "false_positive")], why)).await
            }
            "weak-password-policy" | "cookie-flags" if self.turn.is_multiple_of(2) => {
                self.command(who, id, say("@noor is this still how the form works?")).await?;
                self.command("noor", id, say("Yes, it is. I can change it this sprint.")).await?;
                self.command(who, id, step("confirm", &[], "")).await
            }
            _ => {
                self.command(who, id, step("confirm", &[], "")).await?;
                if record.text("severity") == "critical" {
                    let text = format!(
                        "I can reproduce this on my copy: `{}` takes what I send. @{} please take it first.",
                        record.text("endpoint"),
                        if record.text("owner").is_empty() { "mara" } else { record.text("owner") }
                    );
                    self.command(who, id, say(&text)).await?;
                    self.command(
                        who,
                        id,
                        Command::Label { add: vec!["reproduced".to_owned()], remove: Vec::new() },
                    )
                    .await?;
                }
                Ok(())
            }
        }
    }

    /// The framework is out of support, and cannot be changed in a week.
    async fn exceptions(&mut self) -> anyhow::Result<()> {
        let until = {
            let calendar = self.desk.program().calendar.clone();
            calendar.date(self.desk.now() + 60 * DAY).to_string()
        };
        for record in self.found("kind:finding rule:unsupported-framework severity:medium is:open", 1).await?
        {
            let fields = [
                ("exception_reason", "operational_requirement"),
                ("accepted_until", until.as_str()),
                (
                    "exception_note",
                    "The upgrade to the next Rails is under way; the old one gets our own patches until then.",
                ),
            ];
            self.command(
                "tariq",
                &record.id,
                step("ask_exception", &fields, "The upgrade needs two more sprints."),
            )
            .await?;
        }
        Ok(())
    }

    async fn found(&self, search: &str, limit: usize) -> anyhow::Result<Vec<Record>> {
        let (query, _) = Query::parse(search);
        let everything = Viewer { sees_confidential: true, ..Viewer::default() };
        let numbers = {
            let shared = self.desk.read();
            let found = shared.index.find(&query, &everything, self.desk.now());
            shared.index.page(&found, query.sort().unwrap_or_default(), None, limit).numbers
        };
        Ok(self.desk.store().records(&numbers).await?)
    }

    /// Does it as somebody. What a role may not do, or a state does not allow, is left out of the story.
    async fn command(&self, login: &str, id: &RecordId, command: Command) -> anyhow::Result<()> {
        let caller = {
            let shared = self.desk.read();
            let Some(person) = shared.people.get(login) else { return Ok(()) };
            let Some(role) = shared.program.policies.roles.iter().find(|r| r.name == person.role) else {
                return Ok(());
            };
            Caller {
                actor: Actor::Person(login.to_owned()),
                role: role.clone(),
                login: Some(login.to_owned()),
                team: person.team.clone(),
            }
        };
        match self.desk.act(&caller, id, None, command).await {
            Ok(_) | Err(Error::Refused(Refused::NotAllowed(_) | Refused::NotNow(_))) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn step(transition: &str, fields: &[(&str, &str)], because: &str) -> Command {
    Command::Move {
        transition: transition.to_owned(),
        fields: fields.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect(),
        because: because.to_owned(),
    }
}

fn set(field: &str, value: &str) -> Command {
    let value: Value = json!(value);
    Command::Set { fields: [(field.to_owned(), value)].into(), because: String::new() }
}

fn say(text: &str) -> Command {
    Command::Comment { text: text.to_owned() }
}
