//! Which finding of a scan is which record: every case of the rules of identity, on deliveries as they
//! are sent.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wardroom_desk::intake::{self, Delivery, Envelope};
use wardroom_desk::{Actor, Caller, Command, Draft, Fields, Record, RecordId, Refused, World, decide};
use wardroom_program::Program;

const DAY: i64 = 86_400_000;

struct Harbour;

impl World for Harbour {
    fn person(&self, login: &str) -> bool {
        login == "ana"
    }

    fn team(&self, name: &str) -> bool {
        name == "boats"
    }

    fn kind_of(&self, _: &RecordId) -> Option<String> {
        Some("finding".to_owned())
    }
}

/// A desk without a store.
struct Desk {
    program: Program,
    records: BTreeMap<u32, Record>,
    now: i64,
    written: usize,
}

fn finding(print: &str, rule: &str, file: &str, scope: &str, code: &str) -> Value {
    json!({
        "fingerprint": print, "rule": rule, "severity": "high", "confidence": "high", "cwe": 89,
        "message": format!("{rule} in {scope}"), "reason": "", "remedy": "Bind it.", "scope": scope,
        "location": {"file": file, "start": {"line": 3, "column": 1}, "end": {"line": 3, "column": 9}, "snippet": code},
        "path": [], "endpoints": [], "fix": null, "suppression": null,
    })
}

impl Desk {
    fn new() -> Desk {
        Desk { program: Program::built_in(), records: BTreeMap::new(), now: 1_790_000_000_000, written: 0 }
    }

    fn deliver(&mut self, branch: &str, commit: &str, findings: &[Value]) -> BTreeMap<String, u64> {
        self.deliver_with(branch, commit, findings, json!({}))
    }

    fn deliver_with(
        &mut self,
        branch: &str,
        commit: &str,
        findings: &[Value],
        more: Value,
    ) -> BTreeMap<String, u64> {
        let mut envelope = json!({
            "repository": "harbour", "branch": branch, "default_branch": "main", "commit": commit,
            "complete": true, "codeowners": "*.rb @ana @harbour/boats\n",
            "report": {"tool": {"name": "Wardroom", "version": "1"}, "findings": findings, "endpoints": [], "problems": [], "rules": []},
        });
        for (name, value) in more.as_object().unwrap() {
            envelope[name] = value.clone();
        }
        let envelope: Envelope = serde_json::from_value(envelope).unwrap();
        let delivery = Delivery::read(envelope).unwrap();
        self.now += DAY;
        let next = self.records.keys().next_back().map_or(1, |n| n + 1);
        let known = self.records.values().cloned().collect();
        let taken = intake::take(&self.program, &Harbour, &delivery, known, next, self.now).unwrap();
        self.written = taken.drafts.len();
        for draft in taken.drafts {
            self.keep(draft);
        }
        taken.counts
    }

    fn keep(&mut self, draft: Draft) {
        let (events, record) = draft.finish(1, 1, &Actor::Scan);
        // What was decided and what its events add up to are the same.
        let mut folded = self.records.get(&record.id.no).cloned().or_else(|| Record::opened(&events[0]));
        for event in events.iter().skip(usize::from(!self.records.contains_key(&record.id.no))) {
            folded.as_mut().unwrap().apply(event);
        }
        assert_eq!(folded.as_ref(), Some(&record));
        self.records.insert(record.id.no, record);
    }

    fn act(&mut self, no: u32, command: Command) {
        let role = self.program.policies.roles.iter().find(|r| r.name == "lead").unwrap().clone();
        let caller = Caller {
            actor: Actor::Person("ana".to_owned()),
            role,
            login: Some("ana".to_owned()),
            team: None,
        };
        let record = self.records[&no].clone();
        let decided = decide(&self.program, &Harbour, &caller, record, command, self.now).unwrap();
        self.keep(decided.draft);
    }

    fn state(&self, no: u32) -> &str {
        &self.records[&no].state
    }
}

fn dismiss() -> Command {
    Command::Move {
        transition: "dismiss".to_owned(),
        fields: [("dismissal".to_owned(), json!("false_positive"))].into(),
        because: "A list of columns.".to_owned(),
    }
}

#[test]
fn the_same_scan_again_writes_nothing() {
    let mut desk = Desk::new();
    let found =
        [finding("p1", "sql", "a.rb", "A#x", "where(x)"), finding("p2", "xss", "b.rb", "B#y", "raw(y)")];
    assert_eq!(desk.deliver("main", "c1", &found)["opened"], 2);
    assert_eq!(desk.records[&1].text("owner"), "ana");
    assert_eq!(desk.records[&1].text("team"), "boats");
    assert!(desk.records[&1].clocks.contains_key("remediate"));
    let counts = desk.deliver("main", "c2", &found);
    assert_eq!((counts["carried"], desk.written), (2, 0));
}

#[test]
fn what_vanishes_is_resolved_with_its_commit_and_what_returns_is_open_again() {
    let mut desk = Desk::new();
    let found = [finding("p1", "sql", "a.rb", "A#x", "where(x)")];
    desk.deliver("main", "c1", &found);
    assert_eq!(desk.deliver("main", "c2", &[])["resolved"], 1);
    assert_eq!(
        (desk.state(1), desk.records[&1].text("fixed_in"), desk.records[&1].open),
        ("resolved", "c2", false)
    );
    assert!(desk.records[&1].due().is_none());
    assert_eq!(desk.deliver("main", "c3", &found)["returned"], 1);
    assert_eq!((desk.state(1), desk.records[&1].reopened), ("new", 1));
    assert!(desk.records[&1].due().is_some());
}

#[test]
fn what_was_not_looked_for_is_not_gone() {
    let mut desk = Desk::new();
    desk.deliver("main", "c1", &[finding("p1", "sql", "a.rb", "A#x", "where(x)")]);
    let counts = desk.deliver_with("main", "c2", &[], json!({"complete": false}));
    assert!(!counts.contains_key("gone") && desk.state(1) == "new");
    let report = json!({"tool": {}, "findings": [], "problems": [{"file": "a.rb", "message": "too large"}]});
    let counts = desk.deliver_with("main", "c3", &[], json!({"report": report}));
    assert!(!counts.contains_key("gone") && desk.state(1) == "new");
}

#[test]
fn changed_code_in_one_place_is_one_weakness() {
    let mut desk = Desk::new();
    desk.deliver("main", "c1", &[finding("p1", "sql", "a.rb", "A#x", "where(\"a = #{x}\")")]);
    let counts =
        desk.deliver("main", "c2", &[finding("p2", "sql", "a.rb", "A#x", "where(\"b = #{x}\").limit(1)")]);
    assert_eq!((counts.get("opened"), counts["carried"], desk.records.len()), (None, 1, 1));
    // The file is renamed and the code changes at once: the definition tells.
    let counts =
        desk.deliver("main", "c3", &[finding("p3", "sql", "lib/a.rb", "A#x", "where(\"b = #{x}\")")]);
    assert_eq!((counts.get("opened"), desk.records[&1].text("file")), (None, "lib/a.rb"));
}

#[test]
fn of_several_in_one_definition_the_likest_belong_together() {
    let mut desk = Desk::new();
    let one = finding("p1", "sql", "a.rb", "A#x", "where(\"name = #{params[:name]}\")");
    let two = finding("p2", "sql", "a.rb", "A#x", "order(params[:sort])");
    desk.deliver("main", "c1", &[one, two]);
    let one = finding("p3", "sql", "a.rb", "A#x", "where(\"name = #{clean[:name]}\")");
    let two = finding("p4", "sql", "a.rb", "A#x", "order(clean[:sort])");
    let counts = desk.deliver("main", "c2", &[two, one]);
    assert_eq!((counts.get("opened"), counts.get("gone")), (None, None));
    assert!(
        desk.records[&1].text("code").starts_with("where")
            && desk.records[&2].text("code").starts_with("order")
    );
}

#[test]
fn likeness_elsewhere_asks_a_person() {
    let mut desk = Desk::new();
    let code = "redirect_to(request.env[\"HTTP_REFERER\"] || root_path)";
    desk.deliver("main", "c1", &[finding("p1", "redirect", "a.rb", "A#x", code)]);
    desk.deliver("main", "c2", &[finding("p2", "redirect", "b.rb", "B#y", code)]);
    assert_eq!((desk.state(1), desk.state(2)), ("unseen", "new"));
    assert!(desk.records[&2].links.iter().any(|l| l.relation == "same_as" && l.to.no == 1));
    // Where the new one goes too, nobody has to answer any more.
    desk.deliver("main", "c3", &[]);
    assert_eq!(desk.state(2), "resolved");
    assert!(desk.records[&2].links.is_empty());
}

#[test]
fn a_dismissal_holds_until_the_code_changes() {
    let mut desk = Desk::new();
    let found = finding("p1", "sql", "a.rb", "A#x", "where(x)");
    desk.deliver("main", "c1", std::slice::from_ref(&found));
    desk.act(1, dismiss());
    let mut moved = found.clone();
    moved["location"]["start"]["line"] = json!(99);
    desk.deliver("main", "c2", &[moved]);
    assert_eq!(desk.state(1), "dismissed");
    desk.deliver("main", "c3", &[finding("p9", "sql", "a.rb", "A#x", "where(x).or(y)")]);
    assert_eq!(desk.state(1), "new");
    // And it stays dismissed where it only vanishes.
    desk.act(1, dismiss());
    desk.deliver("main", "c4", &[]);
    assert_eq!(desk.state(1), "dismissed");
}

#[test]
fn what_a_branch_adds_is_proposed_until_it_arrives() {
    let mut desk = Desk::new();
    let old = finding("p1", "sql", "a.rb", "A#x", "where(x)");
    let new = finding("p2", "xss", "b.rb", "B#y", "raw(y)");
    desk.deliver("main", "c1", std::slice::from_ref(&old));
    let counts = desk.deliver("feature", "f1", &[old.clone(), new.clone()]);
    assert_eq!((counts["opened"], desk.written), (1, 1), "only what differs is written");
    assert_eq!(desk.state(2), "proposed");
    assert!(desk.records[&2].clocks.is_empty());
    // The branch mends the old one: that is seen, and the old one is open still.
    desk.deliver("feature", "f2", std::slice::from_ref(&new));
    assert!(!desk.records[&1].seen["feature"].present && desk.state(1) == "new");
    desk.deliver("main", "c2", std::slice::from_ref(&new));
    assert_eq!((desk.state(1), desk.state(2)), ("resolved", "new"));
    assert!(desk.records[&2].clocks.contains_key("remediate"));
    // What a branch adds and takes away again never was.
    desk.deliver("other", "o1", &[new.clone(), finding("p3", "csrf", "c.rb", "C#z", "skip")]);
    desk.deliver("other", "o2", &[new]);
    assert_eq!(desk.state(3), "resolved");
}

#[test]
fn what_people_decided_stays_theirs() {
    let mut desk = Desk::new();
    let found = finding("p1", "sql", "a.rb", "A#x", "where(x)");
    desk.deliver("main", "c1", std::slice::from_ref(&found));
    let fields: Fields = [("severity".to_owned(), json!("low")), ("title".to_owned(), json!("Mine"))].into();
    desk.act(1, Command::Set { fields, because: String::new() });
    let mut changed = found;
    changed["severity"] = json!("critical");
    changed["message"] = json!("other words");
    desk.deliver("main", "c2", &[changed]);
    assert_eq!((desk.records[&1].text("severity"), desk.records[&1].title()), ("low", "Mine"));
    assert_eq!(desk.records[&1].text("severity_found"), "critical");
}

#[test]
fn broken_deliveries_are_refused_with_their_place() {
    let good = finding("p1", "sql", "a.rb", "A#x", "where(x)");
    let read = |report: Value| {
        let envelope = json!({"repository": "harbour", "report": report});
        serde_json::from_value::<Envelope>(envelope)
            .map_err(|e| e.to_string())
            .and_then(|e| Delivery::read(e).map_err(|e: Refused| e.to_string()))
    };
    assert!(read(json!({"findings": [good]})).is_ok());
    for (report, place) in [
        (json!([]), "report"),
        (json!({}), "report.findings"),
        (json!({"findings": {}}), "report.findings"),
        (json!({"findings": [3]}), "report.findings[0]"),
        (json!({"findings": [good, good]}), "report.findings[1].fingerprint"),
        (json!({"findings": [{"fingerprint": "x"}]}), "report.findings[0].rule"),
        (
            json!({"findings": [{"fingerprint": "x", "rule": "r", "severity": "dire"}]}),
            "report.findings[0].severity",
        ),
        (json!({"findings": [], "endpoints": 3}), "report.endpoints"),
    ] {
        let said = read(report.clone()).unwrap_err();
        assert!(said.starts_with(place), "{report}: {said}");
    }
    let empty = json!({"repository": "", "report": {"findings": []}});
    assert!(Delivery::read(serde_json::from_value(empty).unwrap()).is_err());
}
