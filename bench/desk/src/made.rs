//! What is made up: names, findings, deliveries. By formula, so that every run makes the same.

use std::fmt::Write;

use serde_json::{Value, json};

/// A small generator of numbers: splitmix64.
#[derive(Clone)]
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
        self.next() % n.max(1)
    }

    /// Below `n`, small numbers more often.
    pub fn skewed(&mut self, n: u64) -> u64 {
        let most = self.below(n) + 1;
        self.below(most)
    }

    pub fn often(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }
}

pub const REPOSITORIES: u64 = 200;
pub const PEOPLE: u64 = 200;
pub const TEAMS: u64 = 20;
const FILES: u64 = 600;

const WEAKNESSES: [&str; 15] = [
    "sql-injection",
    "command-injection",
    "open-redirect",
    "unescaped-output",
    "path-traversal",
    "mass-assignment",
    "weak-hash",
    "missing-authorization",
    "unscoped-find",
    "hard-coded-secret",
    "unsafe-deserialization",
    "server-side-request",
    "timing-unsafe-comparison",
    "user-enumeration",
    "tls-verification-off",
];
const OBJECTS: [&str; 4] = ["in-query", "in-view", "in-job", "in-upload"];
pub const NOUNS: [&str; 24] = [
    "user", "order", "invoice", "session", "project", "upload", "comment", "token", "report", "cart",
    "email", "team", "booking", "payment", "refund", "ticket", "message", "profile", "address", "coupon",
    "account", "image", "webhook", "export",
];
const CALLS: [&str; 8] =
    ["find_by", "redirect_to", "render", "where", "send_file", "constantize", "update", "open"];

/// One of sixty rules.
pub fn rule(no: u64) -> String {
    let weakness = WEAKNESSES[usize::try_from(no % 15).unwrap_or(0)];
    format!("{weakness}-{}", OBJECTS[usize::try_from(no / 15 % 4).unwrap_or(0)])
}

pub fn repository(no: u64) -> String {
    let noun = NOUNS[usize::try_from(no % 24).unwrap_or(0)];
    format!("group-{}/{noun}-service-{no}", no % 12)
}

pub fn login(no: u64) -> String {
    format!("user{}", no + 1)
}

pub fn team(no: u64) -> String {
    format!("team-{}", no + 1)
}

/// Whose files are whose, in each repository: every second one has somebody.
pub fn codeowners(repository: u64) -> String {
    let mut text = String::new();
    for (no, noun) in (0_u64..).zip(NOUNS).filter(|(no, _)| no % 2 == 0) {
        let person = login((repository * 7 + no * 3) % PEOPLE);
        let team = team((repository + no) % TEAMS);
        let _ = writeln!(text, "/app/controllers/{noun}s/ @{person} @example/{team}");
    }
    text
}

/// One finding as a scan reports it, with its steps and pieces of code: about 1 KB.
fn finding(chance: &mut Chance, at: u64) -> (Value, String, u32, String) {
    let file = chance.skewed(FILES);
    let noun = NOUNS[usize::try_from(file % 24).unwrap_or(0)];
    let rule = rule(chance.skewed(60));
    let (call, parameter) = (chance.one(&CALLS), format!("{noun}_{}", chance.skewed(40)));
    let path = format!("app/controllers/{noun}s/part_{file}_controller.rb");
    let line = 3 + chance.skewed(900);
    let scope = format!("{}{}sController#action_{}", noun[..1].to_uppercase(), &noun[1..], chance.below(8));
    let code = format!("{noun} = {}.{call}(params[:{parameter}])", noun.to_uppercase());
    let severity =
        chance.one(&["critical", "high", "high", "medium", "medium", "medium", "low", "low", "info"]);
    let confidence = chance.one(&["low", "medium", "medium", "high"]);
    let place = |line: u64, snippet: &str| {
        json!({"file": path, "start": {"line": line, "column": 5},
            "end": {"line": line, "column": 5 + snippet.len()}, "snippet": snippet})
    };
    let first = u32::try_from(line.saturating_sub(2)).unwrap_or(1);
    let excerpt = format!(
        "  def action_{at}\n    authorize! :read, {noun}\n    {code}\n    render json: {noun}.as_json(only: [:id, :name])\n  end"
    );
    let finding = json!({
        "fingerprint": format!("{:016x}{at:08x}", chance.next()),
        "rule": rule, "severity": severity, "confidence": confidence, "cwe": 79 + chance.below(600) ,
        "message": format!("`params[:{parameter}]` reaches `{call}` in {scope}"),
        "scope": scope,
        "location": place(line, &code),
        "endpoints": [{"index": file % 24}],
        "path": [
            {"location": place(line.saturating_sub(1), &format!("params[:{parameter}]")), "note": "what a client sends"},
            {"location": place(line, &code), "note": "reaches the call"},
        ],
    });
    (finding, path, first, excerpt)
}

/// A scan in its envelope.
pub fn envelope(repository: &str, owners: String, findings: u64, seed: u64) -> Value {
    let chance = &mut Chance(seed);
    let mut excerpts = serde_json::Map::new();
    let mut list = Vec::new();
    for at in 0..findings {
        let (finding, file, first, text) = finding(chance, at);
        list.push(finding);
        if let Some(pieces) =
            excerpts.entry(file).or_insert_with(|| json!([])).as_array_mut().filter(|p| p.len() < 40)
        {
            pieces.push(json!([first, text]));
        }
    }
    let endpoints: Vec<Value> = (0_u64..)
        .zip(NOUNS)
        .map(|(no, noun)| {
            json!({"method": "POST", "path": format!("/{noun}s/:id"), "handler": format!("{noun}s#update"),
                "authenticated": no % 3 != 0, "filters": [], "parameters": ["id", noun]})
        })
        .collect();
    let rules: Vec<Value> = (0..60)
        .map(|no| json!({"id": rule(no), "category": Chance(no).one(&["injection", "access", "data"])}))
        .collect();
    json!({
        "repository": repository, "branch": "main", "default_branch": "main",
        "commit": format!("{:040x}", u128::from(seed) * 0x1_0000_0001), "complete": false,
        "codeowners": owners, "excerpts": excerpts,
        "report": {
            "tool": {"name": "wardroom", "version": "0.1.0"}, "rules": rules, "endpoints": endpoints,
            "problems": [], "findings": list,
        },
    })
}
