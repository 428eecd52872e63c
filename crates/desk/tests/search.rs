//! What the index answers is what looking at every record answers.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wardroom_desk::index::{Branch, Sort};
use wardroom_desk::query::{Query, complete};
use wardroom_desk::{Index, Matches, Record, Viewer};

#[path = "synthetic/naive.rs"]
mod naive;
mod synthetic;

use synthetic::{NOW, SMALL, program, record};

/// Some records, of which some were put again with other contents.
fn built(count: u32, seed: u64, again: &[u32]) -> (Index, Vec<Record>) {
    let mut index = Index::new(&program());
    let mut records: Vec<Record> = (1..=count).map(|no| record(no, seed, SMALL)).collect();
    records.iter().for_each(|r| index.put(r));
    for (turn, no) in again.iter().enumerate() {
        let no = no % count;
        let fresh = record(no + 1, seed + 1 + turn as u64, SMALL);
        index.put(&fresh);
        records[no as usize] = fresh;
    }
    (index, records)
}

fn viewer(sees_confidential: bool) -> Viewer {
    Viewer { login: Some("person1".to_owned()), team: Some("team1".to_owned()), sees_confidential }
}

fn naively(records: &[Record], query: &Query, viewer: &Viewer) -> Vec<u32> {
    records.iter().filter(|r| naive::found(r, query, viewer, NOW)).map(|r| r.id.no).collect()
}

const TERMS: &[&str] = &[
    "is:open",
    "is:closed",
    "is:late",
    "late:no",
    "is:confidential",
    "is:reopened",
    "is:present",
    "is:gone",
    "has:comments",
    "has:evidence",
    "has:files",
    "has:links",
    "no:owner",
    "has:owner",
    "no:due",
    "has:closed",
    "has:label",
    "no:bounty",
    "kind:finding",
    "kind:report",
    "state:new",
    "state:new,confirmed",
    "state:resolved",
    "label:wontfix",
    "label:\"quick win\"",
    "label:me",
    "label:area*",
    "mentions:@me",
    "mentions:person2",
    "link:fixed_by",
    "branch:main",
    "branch:rel*",
    "id:F-3,R-3",
    "id:R-7,F-7",
    "owner:@me",
    "owner:person0,PERSON1",
    "owner:person*",
    "team:@team",
    "team:team0",
    "severity:high",
    "severity:>=high",
    "severity:<medium",
    "severity:low..high",
    "severity:critical,info",
    "confidence:>low",
    "reopened:yes",
    "reopened:>1",
    "reopened:1..2",
    "priority:1",
    "priority:<=2",
    "score:>7.5",
    "score:1..3",
    "line:..40",
    "bounty:>300",
    "dismissal:false_positive",
    "exposed:yes",
    "exposed:false",
    "duplicate_of:f-1,f-2,f-3,f-4,f-5,f-6,f-7,f-8,f-9,f-10,f-11,f-12,f-13",
    "until:<7d",
    "until:>=2026-12-01",
    "until:today",
    "until:2026-12",
    "until:>1w",
    "age:>30d",
    "age:<=3d",
    "age:30d..90d",
    "age:>2w",
    "age:<36h",
    "opened:2026-10",
    "opened:>2026-06-15",
    "opened:<=2026-06-15",
    "opened:2026-01..2026-03",
    "opened:..2025-12-24",
    "opened:2026",
    "updated:<7d",
    "updated:>=2026-11-01",
    "entered:>10d",
    "closed:2026-05..2026-09",
    "closed:>100d",
    "closed:today",
    "due:<7d",
    "due:<0d",
    "due:>=0d",
    "due:>2026-12-01",
    "due:-30d..10d",
    "rule:sql",
    "rule:sql-injection",
    "rule:sql*",
    "rule:\"sql\"",
    "rule:injection,hash",
    "file:app/controllers*",
    "file:users",
    "cwe:CWE-118,CWE-248",
    "repository:repo-1",
    "repository:repo",
    "function:userscontroller",
    "handler:users_0#show",
    "asset:shop-*",
    "title:redirect",
    "title:\"controller\"",
    "controller",
    "user",
    "us",
    "u",
    "redirect_to",
    "\"params user\"",
    "find_by in:title",
    "users in:file",
    "usersC",
    "CWE",
    "F-8",
    "f-11",
    "number",
    "bound",
    "secretive",
    "params[:user",
    "age:>30d,<2d",
    "closed:2026-05,2026-07",
    "severity:high,high",
    "clock:remediate",
    "clock:triage/met",
    "clock:remediate/missed",
    "clock:remediate/late,triage/running",
    "clock:triage/paused,remediate/paused",
];

fn query() -> impl Strategy<Value = String> {
    let term = (any::<bool>(), any::<bool>(), proptest::sample::select(TERMS)).prop_map(|(a, b, term)| {
        let (first, rest) =
            term.split_once(" in:").map_or((term, String::new()), |(f, r)| (f, format!(" in:{r}")));
        format!("{}{first}{rest}", if a && b { "-" } else { "" })
    });
    proptest::collection::vec(term, 0..4).prop_map(|terms| terms.join(" "))
}

#[test]
fn every_term_is_known_and_distinguishes() {
    let (index, records) = built(600, 11, &[3, 4, 5]);
    for text in TERMS {
        let (query, problems) = Query::parse(text);
        assert_eq!(problems, [], "{text}");
        assert_eq!(query.check(index.schema()), [], "{text}");
        let found: Vec<u32> = index.find(&query, &viewer(true), NOW).iter().collect();
        assert_eq!(found, naively(&records, &query, &viewer(true)), "{text}");
        // `secretive` is in a field about a person; a single letter is no beginning.
        let never = ["secretive", "u"];
        assert_eq!(found.is_empty(), never.contains(text), "{text} finds {found:?}");
        assert!(
            found.len() < 600 || ["user", "controller"].iter().any(|w| text.contains(w)),
            "{text} finds all"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn found_is_what_looking_at_each_record_finds(
        text in query(), seed in 0_u64..1_000, count in 1_u32..150, all in any::<bool>(),
        again in proptest::collection::vec(any::<u32>(), 0..40),
    ) {
        let (index, records) = built(count, seed, &again);
        let (query, problems) = Query::parse(&text);
        prop_assert!(problems.is_empty(), "{problems:?}");
        let found: Vec<u32> = index.find(&query, &viewer(all), NOW).iter().collect();
        prop_assert_eq!(found, naively(&records, &query, &viewer(all)), "{}", text);
    }

    #[test]
    fn pages_show_everything_once_and_in_order(
        text in query(), seed in 0_u64..1_000, count in 1_u32..200, limit in 1_usize..20,
        sort in proptest::sample::select(&["priority", "due", "severity", "age", "updated", "opened", "id"][..]),
        reversed in any::<bool>(),
    ) {
        let (index, _) = built(count, seed, &[]);
        let (query, _) = Query::parse(&text);
        let found = index.find(&query, &viewer(true), NOW);
        let sort = Sort { reversed, ..sort.parse::<Sort>().unwrap() };
        let whole = index.ordered(&found, sort);
        let mut walked: Vec<u32> = Vec::new();
        let mut pages = vec![index.page(&found, sort, None, limit)];
        loop {
            let page = pages.last().unwrap().clone();
            prop_assert_eq!(page.total, found.len());
            prop_assert_eq!(page.before, walked.len() as u64);
            prop_assert_eq!(page.previous.is_some(), !walked.is_empty());
            walked.extend(&page.numbers);
            let Some(next) = page.next else { break };
            pages.push(index.page(&found, sort, Some(&next), limit));
        }
        prop_assert_eq!(&walked, &whole);
        prop_assert_eq!(walked.len() as u64, found.len());
        // And back.
        let mut page = pages.pop().unwrap();
        while let Some(expected) = pages.pop() {
            page = index.page(&found, sort, page.previous.as_deref(), limit);
            prop_assert_eq!(&page.numbers, &expected.numbers);
            prop_assert_eq!(page.before, expected.before);
            prop_assert!(page.next.is_some());
        }
        prop_assert!(page.previous.is_none());
    }

    #[test]
    fn facets_groups_and_trees_count_what_is_there(
        text in query(), seed in 0_u64..1_000, count in 1_u32..200, all in any::<bool>(),
    ) {
        let (index, records) = built(count, seed, &[1, 2, 3]);
        let (query, _) = Query::parse(&text);
        let found = index.find(&query, &viewer(all), NOW);
        let shown: Vec<&Record> = records.iter().filter(|r| found.contains(r.id.no)).collect();
        for field in ["severity", "state", "rule", "label", "owner", "file", "exposed"] {
            let facet = &index.facets(&found, &[field], 1_000)[0];
            let mut counted: BTreeMap<String, u64> = BTreeMap::new();
            let mut none = 0;
            for record in &shown {
                let values = values(record, field);
                none += u64::from(values.is_empty());
                values.into_iter().for_each(|v| *counted.entry(v).or_default() += 1);
            }
            prop_assert_eq!(facet.none, none);
            prop_assert_eq!(facet.values.len(), counted.len());
            for value in &facet.values {
                prop_assert_eq!(counted.get(&value.value), Some(&value.count), "{}", value.value);
                // The chip's own search finds as many.
                let (narrowed, problems) = Query::parse(&query.with(&value.term).to_string());
                prop_assert!(problems.is_empty());
                prop_assert_eq!(index.find(&narrowed, &viewer(all), NOW).len(), value.count, "{}", narrowed);
            }
            let groups = index.groups(&found, field, 1_000).unwrap();
            prop_assert_eq!(groups.len(), counted.len() + usize::from(none > 0));
            for group in groups {
                let of: Vec<&&Record> = shown
                    .iter()
                    .filter(|r| {
                        let values = values(r, field);
                        if group.value.is_empty() { values.is_empty() } else { values.contains(&group.value) }
                    })
                    .collect();
                prop_assert_eq!(of.len() as u64, group.count);
                let worst = of.iter().filter_map(|r| r.text("severity").parse().ok()).max();
                prop_assert_eq!(worst, group.worst);
                let sample = of.iter().find(|r| r.text("severity").parse().ok() == worst).unwrap();
                prop_assert_eq!(sample.id.no, group.sample);
            }
        }
        let tree = index.rollup(&found, &["repository", "handler"], 1_000).unwrap();
        prop_assert_eq!(tree.count, found.len());
        for repository in &tree.below {
            for handler in &repository.below {
                let of = shown.iter().filter(|r| {
                    r.text("repository") == repository.value && r.text("handler") == handler.value
                });
                prop_assert_eq!(of.count() as u64, handler.count);
            }
            prop_assert_eq!(repository.below.iter().map(|b: &Branch| b.count).sum::<u64>(), repository.count);
        }
        prop_assert_eq!(tree.below.iter().map(|b| b.count).sum::<u64>(), tree.count);
    }

    /// To somebody who may not see them, everything is as if confidential records were not there.
    #[test]
    fn confidential_records_do_not_show(text in query(), seed in 0_u64..1_000, count in 1_u32..150) {
        let (index, records) = built(count, seed, &[]);
        let mut without = Index::new(&program());
        records.iter().filter(|r| !r.confidential).for_each(|r| without.put(r));
        let (query, _) = Query::parse(&text);
        let viewer = viewer(false);
        let (a, b) = (index.find(&query, &viewer, NOW), without.find(&query, &viewer, NOW));
        prop_assert_eq!(&a, &b);
        for sort in ["priority", "severity", "updated"] {
            let sort = sort.parse().unwrap();
            prop_assert_eq!(index.page(&a, sort, None, 7), without.page(&b, sort, None, 7));
        }
        let fields = ["severity", "label", "owner", "file", "rule", "title", "asset", "bounty"];
        for top in [2, 100] {
            prop_assert_eq!(index.facets(&a, &fields, top), without.facets(&b, &fields, top));
        }
        prop_assert_eq!(index.groups(&a, "file", 100), without.groups(&b, "file", 100));
        prop_assert_eq!(index.rollup(&a, &["repository", "file"], 2), without.rollup(&b, &["repository", "file"], 2));
        for typed in ["owner:", "label:", "file:app", "rule:s", "asset:", "state:", "team:", "severity:>", "o"] {
            prop_assert_eq!(
                complete(typed, typed.len(), &index, &viewer), complete(typed, typed.len(), &without, &viewer)
            );
        }
    }

    #[test]
    fn reading_never_panics_and_writing_reads_back(text in "[-a-z@:<>=.,*\"\\\\ 0-9äΣ\u{3000}]{0,80}") {
        let (query, _) = Query::parse(&text);
        let written = query.to_string();
        let (again, _) = Query::parse(&written);
        prop_assert_eq!(&again, &query, "{:?} {:?}", text, written);
        prop_assert_eq!(again.to_string(), written);
        let (index, _) = built(12, 1, &[]);
        query.check(index.schema());
        index.find(&query, &viewer(true), NOW);
        for at in 0..text.len() + 2 {
            complete(&text, at, &index, &viewer(true));
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>(), terms in query()) {
        let (index, _) = built(12, 1, &[]);
        for text in [format!("{terms} {text}"), format!("severity:{text}"), format!("age:>{text}"), format!("until:{text}")] {
            let (query, _) = Query::parse(&text);
            let (again, _) = Query::parse(&query.to_string());
            prop_assert_eq!(&again, &query);
            query.check(index.schema());
            index.find(&query, &viewer(false), NOW);
        }
    }

    #[test]
    fn a_value_by_itself_is_written_so_that_it_alone_is_found(value in "[a-zA-Z0-9 :\"\\\\*,.<>=@äß_-]{1,12}") {
        prop_assume!(!value.trim().is_empty());
        let mut index = Index::new(&program());
        let mut made = record(1, 1, SMALL);
        for no in 1..=2_u32 {
            made.id.no = no;
            made.confidential = false;
            let own = if no == 1 { value.clone() } else { format!("{value}-x") };
            for field in ["rule", "owner"] {
                made.fields.insert(field.to_owned(), own.clone().into());
            }
            made.labels = BTreeSet::from([own]);
            index.put(&made);
        }
        for field in ["rule", "owner", "label"] {
            let facet = &index.facets(&index.visible(&viewer(true)), &[field], 9)[0];
            for value in &facet.values {
                let (query, problems) = Query::parse(&value.term);
                prop_assert!(problems.is_empty());
                prop_assert_eq!(index.find(&query, &viewer(true), NOW).len(), value.count, "{}", value.term);
            }
        }
    }
}

fn values(record: &Record, field: &str) -> BTreeSet<String> {
    match field {
        "state" => BTreeSet::from([record.state.clone()]),
        "label" => record.labels.clone(),
        "exposed" => {
            let flag = record.fields.get(field).and_then(serde_json::Value::as_bool);
            flag.map(|yes| if yes { "yes" } else { "no" }.to_owned()).into_iter().collect()
        }
        _ => Some(record.text(field).to_owned()).filter(|v| !v.is_empty()).into_iter().collect(),
    }
}

#[test]
fn problems_say_where_and_what_was_meant() {
    let index = Index::new(&program());
    let problem = |text: &str| {
        let (query, mut problems) = Query::parse(text);
        problems.extend(query.check(index.schema()));
        let first = problems.first().unwrap_or_else(|| panic!("{text} has no problem")).clone();
        (first.to_string(), text[first.span].to_owned())
    };
    for (text, message, place) in [
        ("kind:finding sevrity:high", "`sevrity` is no field of a finding: `severity`?", "sevrity"),
        ("-sevrity:high", "`sevrity` is no field of a record: `severity`?", "sevrity"),
        ("kind:report rule:sql", "`rule` is no field of a report: a finding has it", "rule:sql"),
        (
            "severity:hgih",
            "`hgih` is none of what `severity:` takes: info, low, medium, high, critical: `severity:high`?",
            "severity:hgih",
        ),
        (
            "severity:>=hihg",
            "`hihg` is none of what `severity:` takes: info, low, medium, high, critical: `severity:>=high`?",
            "severity:>=hihg",
        ),
        (
            "dismissal:false_positve",
            "`false_positve` is none of what `dismissal:` takes: false_positive, wont_fix, test_code: `dismissal:false_positive`?",
            "dismissal:false_positve",
        ),
        (
            "is:opn",
            "`opn` is none of what `is:` takes: open, closed, late, confidential, reopened, present, gone: `is:open`?",
            "is:opn",
        ),
        ("age:30", "`30` is no length of time: write `age:>30d`, in h, d or w", "age:30"),
        (
            "age:>2026-01-01",
            "`>2026-01-01` is no length of time: write `age:>30d`, in h, d or w",
            "age:>2026-01-01",
        ),
        ("line:x", "`x` is no number: write `line:3`, `line:>3` or `line:1..3`", "line:x"),
        ("rule:>sql", "`rule` has no order: name its values", "rule:>sql"),
        ("owner:", "nothing stands after `owner:`", "owner:"),
        ("owner:@team", "`@team` is a team: write `team:@team`", "owner:@team"),
        ("\"open", "the quotes are not closed", "\"open"),
        ("id:x", "`x` is no record's name: they look like F-12", "id:x"),
        (
            "sort:duee",
            "`duee` is none of what `sort:` takes: priority, due, severity, age, updated, opened, id: `sort:due`?",
            "sort:duee",
        ),
    ] {
        assert_eq!(problem(text), (message.to_owned(), place.to_owned()), "{text}");
        let (query, _) = Query::parse(text);
        if !text.starts_with('"') {
            assert!(index.find(&query, &viewer(true), NOW).is_empty(), "{text}");
        }
    }
    let long = "x".repeat(2_001);
    assert!(Query::parse(&long).0.broken);
    assert!(Query::parse(&"a ".repeat(61)).0.broken);
    assert!(!Query::parse(&"a ".repeat(60)).0.broken);
    // A search that is broken finds nothing rather than more.
    let (full, _) = built(10, 1, &[]);
    assert!(full.find(&Query::parse(&long).0, &viewer(true), NOW).is_empty());
    for text in ["sevrity:high", "-sevrity:high", "severity:hgih", "-is:opn", "rule:>x", "is:open age:7"] {
        assert_eq!(full.find(&Query::parse(text).0, &viewer(true), NOW), Matches::default(), "{text}");
    }
}

#[test]
fn chips_add_and_remove() {
    let (query, _) = Query::parse("is:open  Severity:high \"two words\" sort:due");
    assert_eq!(query.to_string(), "is:open severity:high \"two words\" sort:due");
    assert_eq!(
        query.with("rule:sql is:open").to_string(),
        "is:open severity:high \"two words\" sort:due rule:sql"
    );
    assert_eq!(query.with("sort:age").to_string(), "is:open severity:high \"two words\" sort:age");
    assert_eq!(query.without("severity:high sort:due").to_string(), "is:open \"two words\"");
    assert_eq!(query.without_key("severity").to_string(), "is:open \"two words\" sort:due");
    assert!(query.has("severity:high") && !query.has("severity:low") && query.has("is:open severity:high"));
    assert_eq!(query.sort().unwrap().to_string(), "due");
}

#[test]
fn completions_replace_what_is_typed() {
    let (index, _) = built(200, 5, &[]);
    let taken = |text: &str, at: usize| {
        let all = complete(text, at, &index, &viewer(true));
        all.iter().map(|c| Query::taking(text, c)).collect::<Vec<_>>()
    };
    assert_eq!(taken("sev", 3), ["severity:"]);
    assert_eq!(taken("is:open -sev x", 12), ["is:open -severity: x"]);
    assert_eq!(taken("is:op x", 5), ["is:open x"]);
    assert_eq!(taken("severity:>=h", 12), ["severity:>=high"]);
    assert!(taken("state:new,con", 13).contains(&"state:new,confirmed".to_owned()));
    assert!(taken("owner:@", 7).contains(&"owner:@me".to_owned()));
    assert!(taken("label:q", 7).contains(&"label:\"quick win\"".to_owned()));
    assert!(complete("nonsense:x", 10, &index, &viewer(true)).is_empty());
}
