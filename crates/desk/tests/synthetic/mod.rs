//! A program and records made up by a formula, so that tests and measurements are repeatable.

#![expect(dead_code, reason = "each test uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wardroom_desk::{ClockState, Fields, LinkTo, Millis, Record, RecordId, Running, Seen};
use wardroom_program::{
    Calendar, ClockRule, Due, Field, FieldType, Identity, Kind, Link, Period, Policies, Program, Retention,
    State,
};

pub const DAY: Millis = 86_400_000;
/// 2026-11-27, at noon.
pub const NOW: Millis = 1_795_780_800_000;

fn field(name: &str, kind: FieldType, search: bool) -> Field {
    Field {
        name: name.to_owned(),
        title: name.to_owned(),
        kind,
        required: false,
        search,
        engine: false,
        compute: None,
        gather: None,
        personal: None,
        help: String::new(),
    }
}

fn kind(name: &str, prefix: &str, fields: Vec<Field>, states: &[(&str, bool)]) -> Kind {
    let state = |(name, open): &(&str, bool)| State {
        entry: false,
        name: (*name).to_owned(),
        title: (*name).to_owned(),
        open: *open,
        help: String::new(),
        leaves: None,
    };
    let link =
        |name: &str| Link { name: name.to_owned(), title: name.to_owned(), back: name.to_owned(), to: None };
    let clock = |name: &str, days| ClockRule {
        name: name.to_owned(),
        title: name.to_owned(),
        starts: Vec::new(),
        stops: Vec::new(),
        paused: None,
        due: Due::Fixed(Period::Days(days)),
    };
    Kind {
        examples: Vec::new(),
        name: name.to_owned(),
        title: name.to_owned(),
        plural: format!("{name}s"),
        prefix: prefix.to_owned(),
        summary: String::new(),
        opened_by: Vec::new(),
        confidential: false,
        fields,
        states: states.iter().map(state).collect(),
        transitions: Vec::new(),
        clocks: vec![clock("triage", 5), clock("remediate", 60)],
        priority: Vec::new(),
        labels: Vec::new(),
        open_labels: true,
        links: vec![link("duplicate_of"), link("fixed_by")],
        queues: Vec::new(),
        letters: Vec::new(),
    }
}

/// Two kinds: findings with about twenty fields, and reports that people send.
pub fn program() -> Program {
    let choice = |words: &[&str]| FieldType::Choice(words.iter().map(|w| (*w).to_owned()).collect());
    let findings = vec![
        field("title", FieldType::Text, true),
        field("rule", FieldType::Word, true),
        field("severity", FieldType::Severity, true),
        field("confidence", FieldType::Confidence, true),
        field("cwe", FieldType::Word, true),
        field("repository", FieldType::Word, true),
        field("file", FieldType::Word, true),
        field("line", FieldType::Number, true),
        field("function", FieldType::Word, true),
        field("handler", FieldType::Word, true),
        field("endpoint", FieldType::Text, true),
        field("parameter", FieldType::Word, true),
        field("engine", FieldType::Word, true),
        field("owner", FieldType::Person, true),
        field("team", FieldType::Team, true),
        field("priority", FieldType::Number, true),
        field("dismissal", choice(&["false_positive", "wont_fix", "test_code"]), true),
        field("score", FieldType::Number, true),
        field("until", FieldType::Date, true),
        field("exposed", FieldType::Flag, true),
        field("duplicate_of", FieldType::Record(None), true),
        field("remedy", FieldType::Markdown, false),
    ];
    let mut secret = field("sender", FieldType::Text, false);
    secret.personal = Some(Retention { keep: Period::Days(90) });
    let reports = vec![
        field("title", FieldType::Text, true),
        field("description", FieldType::Markdown, false),
        field("asset", FieldType::Word, true),
        field("severity", FieldType::Severity, true),
        field("bounty", FieldType::Number, true),
        secret,
    ];
    let finding = [
        ("new", true),
        ("confirmed", true),
        ("in_progress", true),
        ("resolved", false),
        ("dismissed", false),
    ];
    let kinds = [
        kind("finding", "F", findings, &finding),
        kind(
            "report",
            "R",
            reports,
            &[("new", true), ("triaged", true), ("resolved", false), ("rejected", false)],
        ),
    ];
    Program {
        name: "Example".to_owned(),
        calendar: Calendar {
            zone: jiff::tz::TimeZone::get("Europe/Berlin").expect("the zone is built in"),
            holidays: BTreeSet::new(),
            working: vec![jiff::civil::Weekday::Monday],
        },
        kinds: kinds.into_iter().map(|k| (k.name.clone(), k)).collect(),
        policies: Policies {
            roles: Vec::new(),
            identity: Identity { resolve_unseen_after: 1, likeness: 0.8 },
            values: Vec::new(),
        },
        files: BTreeMap::new(),
        digest: String::new(),
        ground: std::sync::OnceLock::new(),
    }
}

/// A small generator of numbers: splitmix64.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Below `n`, small numbers far more often.
    pub fn skewed(&mut self, n: u64) -> u64 {
        let most = self.below(n) + 1;
        self.below(most)
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    pub fn often(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const WEAKNESSES: [&str; 8] = [
    "sql-injection",
    "blind-sql-injection",
    "open-redirect",
    "cross-site-scripting",
    "sql",
    "path-traversal",
    "mass-assignment",
    "weak-hash",
];
const NOUNS: [&str; 12] = [
    "user", "order", "invoice", "session", "project", "upload", "comment", "token", "report", "cart",
    "email", "team",
];

/// How large a made-up world is.
#[derive(Clone, Copy)]
pub struct World {
    pub rules: u64,
    pub repositories: u64,
    pub files: u64,
    pub people: u64,
}

pub const LARGE: World = World { rules: 220, repositories: 120, files: 60_000, people: 300 };
pub const SMALL: World = World { rules: 9, repositories: 3, files: 6, people: 4 };

fn camel(noun: &str) -> String {
    let (first, rest) = noun.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// A record that the seed decides.
pub fn record(no: u32, seed: u64, world: World) -> Record {
    let mut chance = Chance(seed.wrapping_mul(0x1000_0000_01b3) ^ u64::from(no));
    let chance = &mut chance;
    let report = chance.often(5);
    let file = chance.skewed(world.files);
    let noun = NOUNS[(file % 12) as usize];
    let mut fields = Fields::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    let severity =
        chance.one(&["info", "low", "low", "medium", "medium", "medium", "high", "high", "critical"]);
    if !chance.often(3) {
        set("severity", json!(severity));
    }
    let (states, dismissal) = if report {
        set("title", json!(format!("Report on {noun} number {}", chance.below(5_000))));
        set("description", json!(format!("The {noun}Controller of /{noun}s shows too much")));
        set("sender", json!("secretive.person@example.org"));
        set("asset", json!(format!("shop-{}", chance.below(4))));
        if chance.often(50) {
            set("bounty", json!(chance.below(20) * 50));
        }
        (["new", "triaged", "resolved", "rejected", "resolved"], None)
    } else {
        let rule = chance.skewed(world.rules);
        let name = WEAKNESSES[(rule % 8) as usize];
        let rule = if rule < 8 { name.to_owned() } else { format!("{name}-{}", rule / 8) };
        let parameter = format!("{noun}_{}", chance.skewed(40));
        set(
            "title",
            json!(format!(
                "`params[:{parameter}]` reaches `{}` in {}Controller",
                chance.one(&["find_by", "redirect_to", "render", "where", "send_file"]),
                camel(noun)
            )),
        );
        set("cwe", json!(format!("CWE-{}", 79 + rule.len() * 13)));
        set("rule", json!(rule));
        set("confidence", json!(chance.one(&["low", "medium", "high"])));
        set("repository", json!(format!("repo-{}", file % world.repositories)));
        set("file", json!(format!("app/controllers/{noun}s/part_{file}_controller.rb")));
        set("line", json!(1 + chance.skewed(1200)));
        set("function", json!(format!("{}sController#action_{}", camel(noun), file * 3 + chance.below(3))));
        set(
            "handler",
            json!(format!("{noun}s_{}#{}", file / 4, chance.one(&["index", "show", "create", "update"]))),
        );
        set("endpoint", json!(format!("GET /{noun}s/{}/{{id}}", file / 3)));
        set("parameter", json!(parameter));
        set("engine", json!(chance.one(&["sast", "deps", "secrets", "probe"])));
        set("score", json!((chance.below(100) as f64) / 10.0));
        set("priority", json!(1 + chance.skewed(4)));
        set("exposed", json!(chance.often(30)));
        set("remedy", json!(format!("Use a bound value for {}.", chance.one(&NOUNS))));
        if chance.often(10) {
            set(
                "until",
                json!(["2026-11-20", "2026-11-27", "2026-12-01", "2027-03-15"][chance.below(4) as usize]),
            );
        }
        if chance.often(5) {
            set("duplicate_of", json!(format!("F-{}", 1 + chance.below(u64::from(no)))));
        }
        let dismissal = chance.one(&["false_positive", "false_positive", "wont_fix", "test_code"]);
        (["new", "confirmed", "in_progress", "resolved", "dismissed"], Some(dismissal))
    };
    if chance.often(60) {
        set("owner", json!(format!("person{}", chance.skewed(world.people))));
        set("team", json!(format!("team{}", chance.below(world.people / 10 + 2))));
    }
    let state = states[chance.below(5) as usize];
    let open = matches!(state, "new" | "confirmed" | "in_progress" | "triaged");
    if let (Some(dismissal), "dismissed") = (dismissal, state) {
        set("dismissal", json!(dismissal));
    }
    // Later numbers were opened later, as it is; a small world is about every age.
    let old = u64::from(1_000_000 - no.min(999_999)) * 600 / 1_000_000;
    let age = if world.files < 100 { chance.skewed(500) } else { chance.below(40) + old };
    let opened = NOW - age as Millis * DAY - chance.below(86_400_000) as Millis;
    let lived = (NOW - opened) as u64;
    let closed = (!open).then(|| opened + chance.below(lived.max(1)) as Millis);
    let entered = closed.unwrap_or(opened + chance.below(lived.max(1)) as Millis);
    let mut clocks = BTreeMap::new();
    for (name, length) in [("triage", 5), ("remediate", 60)] {
        if (report || name == "remediate") && chance.often(90) {
            let due = opened + length * DAY;
            let running = match closed {
                Some(at) => Running::Stopped { at },
                None if chance.often(10) => Running::Paused { since: entered },
                None => Running::Running,
            };
            clocks.insert(name.to_owned(), ClockState { started: opened, due, running, stood: 0 });
        }
    }
    let mut labels = BTreeSet::new();
    for _ in 0..chance.skewed(4) {
        labels.insert(chance.one(&["wontfix", "area::payments", "quick win", "me", "legacy"]).to_owned());
    }
    let mut seen = BTreeMap::new();
    if !report {
        for branch in ["main", "release"].iter().take(1 + usize::from(chance.often(10))) {
            let place = Seen {
                content: String::new(),
                repository: format!("repo-{}", file % world.repositories),
                fingerprint: format!("{:016x}", chance.next()),
                commit: String::new(),
                present: open || chance.often(5),
                missed: 0,
                at: entered,
            };
            seen.insert((*branch).to_owned(), place);
        }
    }
    let links = if chance.often(5) {
        let relation = chance.one(&["duplicate_of", "fixed_by"]).to_owned();
        vec![LinkTo { relation, to: RecordId::new("F", 1), back: false }]
    } else {
        Vec::new()
    };
    let comments = if chance.often(20) { 1 } else { 0 };
    let mentioned = (comments > 0).then(|| format!("person{}", chance.skewed(world.people)));
    Record {
        id: RecordId::new(if report { "R" } else { "F" }, no),
        kind: if report { "report" } else { "finding" }.to_owned(),
        version: 1,
        state: state.to_owned(),
        open,
        fields,
        labels,
        links,
        clocks,
        seen,
        mentioned: mentioned.into_iter().collect(),
        comments,
        files: u32::from(chance.often(5)),
        confidential: chance.often(if report { 40 } else { 2 }),
        opened,
        updated: entered + chance.below((NOW - entered).max(1) as u64) as Millis,
        entered,
        closed,
        reopened: u32::from(chance.often(6)) * (1 + chance.skewed(3) as u32),
        evidence: chance.often(80).then_some(7),
        passed: vec![("new".to_owned(), opened), (state.to_owned(), entered)],
    }
}
