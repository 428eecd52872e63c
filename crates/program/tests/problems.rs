//! Every class of problem, with the place and the words in which it is said.

use wardroom_program::{File, built_in, load};

/// A small kind beside the built-in ones. The cases below spoil one place of it each.
const THING: &str = "\
kind: thing
prefix: T
summary: Something to be done.
opened_by: [engineer]
fields:
  title: {type: text, required: true}
  severity: {type: severity, search: true}
  size_of: {type: choice, choices: [small, large], search: true}
  until: {type: date}
  count: {type: number}
  owner: {type: person}
  priority: {type: number, engine: true}
  priority_because: {type: text, engine: true}
  of: {type: record, of: finding}
states:
  new: {open: true}
  kept: {leaves: {after: until, by: wake}}
  done: {}
transitions:
  keep: {from: new, to: kept, who: [lead, engineer], needs: until}
  wake: {from: kept, to: new, who: engine}
  finish: {from: [new, kept], to: done, who: engineer, when: \"caller != owner\"}
clocks:
  do: {starts: new, stops: done, paused: \"state == 'kept'\", by: severity, due: {high: 5d}}
priority:
  - {priority: 1, when: \"level(severity) >= level('high')\", because: high}
  - {priority: 4, because: the rest}
labels:
  odd: It is odd.
links:
  of: {back: Has thing, to: finding}
queues:
  large: {search: \"is:open size_of:large\"}
letters:
  hello: {body: \"{{title}} waits\"}
examples:
  - {name: One, fields: {title: A, severity: high}, expect: {priority: 1, due: {do: 5d}}}
";

fn with(path: &str, text: &str) -> Vec<String> {
    let mut files = built_in().to_vec();
    files.retain(|f| f.path != path);
    files.push(File { path: path.to_owned(), text: text.to_owned() });
    let built = load(&files);
    assert_eq!(built.program.is_none(), !built.problems.is_empty());
    built.problems.iter().map(ToString::to_string).collect()
}

fn spoiled(from: &str, to: &str) -> String {
    assert!(THING.contains(from), "{from} is not in the text");
    with("kinds/thing.yaml", &THING.replacen(from, to, 1)).join("\n")
}

/// Each case: what is replaced, by what, and what is said.
fn hold(cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        let found = spoiled(from, to).replace("kinds/thing.yaml:", "");
        if found != *expected {
            wrong.push(format!("{from:?}, {to:?}\n  found    {found:?}\n  expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_right_has_no_problems() {
    assert_eq!(with("kinds/thing.yaml", THING), Vec::<String>::new());
}

#[test]
fn shapes() {
    hold(&[
        (
            "summary:",
            "sumary:",
            "1:1: `summary` is missing\n3:1: `sumary` is unknown here; perhaps `summary` is meant",
        ),
        ("prefix: T\n", "", "1:1: `prefix` is missing"),
        ("prefix: T", "prefix: 12", "2:9: a text is needed, not a number; put it in quotes"),
        ("prefix: T", "prefix: F", "2:9: the prefix `F` is that of finding already"),
        ("prefix: T", "prefix: thing", "2:9: `thing` is no prefix: one to four capital letters are"),
        (
            "kind: thing",
            "kind: other",
            "1:7: the kind and its file have different names; name the file kinds/other.yaml or the kind `thing`",
        ),
        ("required: true", "required: maybe", "6:33: true or false is needed, not a text"),
        (
            "states:",
            "states: [new]\nold:",
            "15:9: names with values are needed, not a list\n16:1: `old` is unknown here; there are kind, title, plural, prefix, summary, opened_by, confidential, fields, states, transitions, clocks, priority, labels, open_labels, links, queues and 2 more",
        ),
        (
            "  done: {}",
            "  done: {help: Fixed, or gone}",
            "18:23: `or gone` is unknown here; a text with a comma in it stands in quotes",
        ),
        ("count: {type: number}", "until: {type: number}", "10:3: `until` stands here twice"),
        (
            "  of: {back: Has thing, to: finding}",
            "  Of It: {back: Has thing}",
            "31:3: `Of It` is no name: a small letter, then small letters, digits and `_`, at most 40 in all",
        ),
        ("keep: {from: new,", "keep: {from: {a: b},", "20:16: a text is needed, not a mapping"),
        ("labels:\n  odd: It is odd.", "labels: [odd]", "28:9: names with values are needed, not a list"),
        (
            "odd: It is odd.",
            "ODD: It is odd.",
            "29:3: `ODD` is no label: small letters, digits, spaces and -_:./ are, at most 80",
        ),
        (
            "summary: Something",
            "summary: [Something",
            "4:10: this is no YAML: illegal placement of ':' indicator",
        ),
        (
            "  owner:",
            "\towner:",
            "11:2: this is no YAML: tabs disallowed within this context (block indentation); indent with spaces",
        ),
        ("summary: Something to be done.", "summary:", "3:1: `summary` is missing"),
    ]);
}

#[test]
fn fields_and_their_types() {
    hold(&[
        ("type: severity", "type: severty", "7:20: there is no type `severty`; perhaps `severity` is meant"),
        (
            "choices: [small, large]",
            "choices: [small, small]",
            "8:44: `small` stands here twice\n33:19: `size_of` is never `large`; there is small",
        ),
        (", choices: [small, large]", "", "8:19: a `choice` needs choices; add `choices: [one, two]`"),
        ("{type: date}", "{type: date, choices: [a]}", "9:33: only a field of type `choice` has choices"),
        ("of: finding", "of: findng", "14:26: there is no kind `findng`; perhaps `finding` is meant"),
        ("{type: date}", "{type: date, of: finding}", "9:27: only a field of type `record` has `of`"),
        (
            "owner: {type: person}",
            "owner: {type: person}\n  branch: {type: word, search: true}",
            "12:32: searches know something else by `branch`, so the field is never found",
        ),
        (
            "owner: {type: person}",
            "owner: {type: person, personal: 1y}",
            "11:35: `1y` is no period; write hours as `24h`, days as `30d`, business days as `5bd`",
        ),
        (
            "owner: {type: person}",
            "owner: {type: person}\n  state: {type: text}",
            "12:3: a field cannot be called `state`: conditions know something else by it",
        ),
        (
            "title: {type: text, required: true}",
            "title: {type: number}",
            "6:17: `title` is a text\n37:33: `title` does not take `A`; a number is needed",
        ),
        (
            "  priority: {type: number, engine: true}\n",
            "",
            "25:16: rules of priority need a field `priority`",
        ),
    ]);
}

#[test]
fn states_transitions_and_roles() {
    hold(&[
        ("to: kept", "to: kpt", "20:25: there is no state `kpt`; perhaps `kept` is meant"),
        ("from: [new, kept]", "from: [nwe, kept]", "22:19: there is no state `nwe`; perhaps `new` is meant"),
        (
            "who: [lead, engineer]",
            "who: [lead, enginer]",
            "20:43: there is no role `enginer`; perhaps `engineer` is meant",
        ),
        (
            "opened_by: [engineer]",
            "opened_by: [nobody]",
            "4:13: there is no role `nobody`; there are admin, lead, engineer, council, sirt, trust_safety, assurance, architect, recruiter, developer, viewer, engine",
        ),
        ("needs: until", "needs: [untill]", "20:62: there is no field `untill`; perhaps `until` is meant"),
        ("after: until", "after: owner", "17:26: there is no date field `owner`; there is until"),
        ("by: wake", "by: wak", "17:37: there is no transition `wak`; perhaps `wake` is meant"),
        (
            "by: wake",
            "by: keep",
            "17:37: `keep` does not lead out of `kept`\n17:37: `keep` is not for `engine`, which leaves the state on that day; add `engine` to its `who`",
        ),
        (
            "who: engine}",
            "who: engineer}",
            "17:37: `wake` is not for `engine`, which leaves the state on that day; add `engine` to its `who`",
        ),
        (
            "  done: {}",
            "  done: {}\n  lost: {}",
            "19:3: no transition leads to the state `lost`; add a transition to it, or `entry: true` where engines open records in it",
        ),
        (
            "  done: {}",
            "  done: {}\n  stuck: {open: true, entry: true}",
            "19:3: the state `stuck` is open, and no transition leads out of it",
        ),
        (
            "to: kept, who: [lead, engineer]",
            "to: kept, then: [{open: findings, link: of}], who: [lead]",
            "20:45: there is no kind `findings`; perhaps `finding` is meant",
        ),
        (
            "to: kept, who: [lead, engineer]",
            "to: kept, then: [{open: exception, link: fro, fields: {titel: title}}], who: [lead]",
            "20:45: exception needs `reason` to be opened; add it to the effect's `fields`: `reason: …`\n20:45: exception needs `title` to be opened; add it to the effect's `fields`: `title: …`\n20:45: exception needs `until` to be opened; add it to the effect's `fields`: `until: …`\n20:62: exception has no link `fro`; perhaps `for` is meant\n20:76: exception has no field `titel`; perhaps `title` is meant",
        ),
        (
            "to: kept, who: [lead, engineer]",
            "to: kept, then: [{move: confirm, link: of}], who: [lead]",
            "20:45: `confirm` of finding is not for `engine`, which takes it here; add `engine` to its `who`",
        ),
        (
            "to: kept, who: [lead, engineer]",
            "to: kept, then: [{move: vanis, link: fo}, {link: of}], who: [lead]",
            "20:58: there is no link `fo`; perhaps `of` is meant\n20:70: an effect needs `open` or `move`",
        ),
        (
            "to: kept, who: [lead, engineer]",
            "to: kept, then: [{move: vanish, link: of, fields: {severity: count}}], who: [lead]",
            "20:82: `count` is a number, and `severity` of finding takes a severity",
        ),
    ]);
}

#[test]
fn conditions() {
    hold(&[
        ("state == 'kept'", "state ==", "24:42: the condition cannot be read: it ends too early"),
        (
            "state == 'kept'",
            "sate == 'kept'",
            "24:42: the condition asks about `sate`, which does not exist; perhaps `state` is meant",
        ),
        ("state == 'kept'", "state == 'kpet'", "24:42: `state` is never `kpet`; perhaps `kept` is meant"),
        (
            "state == 'kept'",
            "size_of in ['small', 'big']",
            "24:42: `size_of` is never `big`; there are small, large",
        ),
        (
            "state == 'kept'",
            "caller == 'ada'",
            "24:42: the condition asks about `caller`, which does not exist; there are title, severity, size_of, until, count, owner, priority, priority_because, of, kind, state, open, labels, today, age, present and 2 more",
        ),
        (
            "state == 'kept'",
            "lvel(severity) > 3",
            "24:42: there is no function `lvel`; perhaps `level` is meant",
        ),
        (
            "state == 'kept'",
            "severity >= 'high'",
            "24:42: `severity` would be compared by the alphabet; write level(severity) and level('high')",
        ),
        (
            "state == 'kept'",
            "count > 'a'",
            "24:42: `count` is a number and `'a'` is a text: neither is more than the other",
        ),
        (
            "state == 'kept'",
            "count == 'a'",
            "24:42: `count` is a number and `'a'` is a text: they are never the same",
        ),
        ("state == 'kept'", "count", "24:42: the condition gives a number, not true or false"),
        ("state == 'kept'", "owner && open", "24:42: `owner` is a text, where true or false is needed"),
        ("state == 'kept'", "level('hihg') > 1", "24:42: `hihg` is no level; perhaps `high` is meant"),
        (
            "state == 'kept'",
            "has(owner.name)",
            "24:42: `owner` has no parts: fields are single values; write `owner != null` to ask whether there is one",
        ),
        (
            "state == 'kept'",
            "has(owner)",
            "24:42: the condition cannot be read: invalid argument to has() macro (character 5); write `field != null`",
        ),
        ("state == 'kept'", "size(count) > 1", "24:42: `count` has no size"),
        ("state == 'kept'", "owner.startsWith(1)", "24:42: `1` is a number, where a text is needed"),
        (
            "state == 'kept'",
            "startsWith(owner, 'a')",
            "24:42: `startsWith` is not called like this; write `field.startsWith('…')`",
        ),
        ("state == 'kept'", "labels.exists(l, l == 'odd')", ""),
        (
            "state == 'kept'",
            "labels.exists(l, labels.exists(m, m == l))",
            "24:42: one `exists` or `all` cannot stand in another",
        ),
        ("state == 'kept'", "until != null && until < today && age > 3 && present", ""),
        (
            "state == 'kept'",
            "sate == 'kept' || agee > 3",
            "24:42: the condition asks about `agee`, which does not exist; perhaps `age` is meant\n24:42: the condition asks about `sate`, which does not exist; perhaps `state` is meant",
        ),
    ]);
}

#[test]
fn clocks_and_priorities() {
    hold(&[
        ("high: 5d", "hihg: 5d", "24:81: `severity` is never `hihg`; perhaps `high` is meant"),
        (
            "high: 5d",
            "high: 5w",
            "24:87: `5w` is no period; write hours as `24h`, days as `30d`, business days as `5bd`",
        ),
        ("by: severity", "by: severty", "24:65: there is no field `severty`; perhaps `severity` is meant"),
        (
            "by: severity, ",
            "",
            "24:3: the clock `do` does not say by which field it runs; add `by: severity`",
        ),
        ("due: {high: 5d}", "due: 5d", "24:65: a clock `by` a field needs a period for each value in `due`"),
        ("starts: new", "starts: begun", "24:16: there is no state `begun`; there are new, kept, done"),
        ("stops: done, ", "", "24:7: `stops` is missing"),
        (
            "- {priority: 1,",
            "- {priority: 5,",
            "26:16: `5` is no priority; 1 is the most urgent, 4 the least",
        ),
        ("- {priority: 1,", "- {priority: high,", "26:16: a number is needed, not a text"),
        (
            "{priority: 1, when: \"level(severity) >= level('high')\",",
            "{priority: 1,",
            "26:16: this rule always holds, so the rules after it never do",
        ),
    ]);
}

#[test]
fn queues_letters_and_examples() {
    hold(&[
        (
            "size_of:large",
            "sizeof:large",
            "33:19: the search names `sizeof`, which does not exist; perhaps `size_of` is meant",
        ),
        ("size_of:large", "size_of:big", "33:19: `size_of` is never `big`; there are small, large"),
        (
            "size_of:large",
            "count:3",
            "33:19: searches cannot name the field `count`; give the field `count` `search: true`",
        ),
        ("is:open", "link:off", "33:19: `link` is never `off`; perhaps `of` is meant"),
        ("is:open", "severity:>=hihg", "33:19: `severity` is never `hihg`; perhaps `high` is meant"),
        ("is:open", "size_of:sm* age:>30d sort:due \\\"a phrase: of words\\\"", ""),
        ("is:open", "is:opn", "33:19: `is` is never `opn`; perhaps `open` is meant"),
        ("is:open", "-state:nwe", "33:19: `state` is never `nwe`; perhaps `new` is meant"),
        (
            "is:open",
            "has:thing",
            "33:19: `has` is never `thing`; there are title, severity, size_of, until, count, owner, priority, priority_because, of, comments, due, evidence, files, links",
        ),
        ("is:open", "label:strange", "33:19: `label` is never `strange`; there is odd"),
        (
            "{{title}} waits",
            "{{titel}} waits",
            "35:17: the letter asks for `titel`, which is no field; perhaps `title` is meant",
        ),
        ("{{title}} waits", "{{title waits", "35:17: `{{` is never closed by `}}`"),
        (
            "severity: high}",
            "severity: hihg}",
            "37:46: `severity` does not take `hihg`; perhaps `high` is meant",
        ),
        ("{title: A,", "{titel: A,", "37:26: there is no field `titel`; perhaps `title` is meant"),
        ("{do: 5d}", "{dou: 5d}", "37:81: there is no clock `dou`; perhaps `do` is meant"),
        (
            "{do: 5d}",
            "{do: soon}",
            "37:85: `soon` is no period; write hours as `24h`, days as `30d`, business days as `5bd`",
        ),
        (
            "expect: {",
            "state: nwe, expect: {can: finsh, ",
            "37:60: there is no state `nwe`; perhaps `new` is meant\n37:79: there is no transition `finsh`; perhaps `finish` is meant",
        ),
    ]);
}

#[test]
fn one_problem_hides_no_other() {
    let text = THING
        .replace("type: severity", "type: severty")
        .replace("to: kept", "to: kpt")
        .replace("high: 5d", "high: soon")
        .replace("is:open", "is:opn")
        .replace("summary:", "sumary:");
    let mut files = built_in().to_vec();
    files.push(File { path: "kinds/thing.yaml".to_owned(), text });
    for file in &mut files {
        match file.path.as_str() {
            "kinds/review.yaml" => file.text = "kind: [".to_owned(),
            "policies/identity.yaml" => file.text = "likeness: 2".to_owned(),
            _ => {}
        }
    }
    let found: Vec<String> = load(&files).problems.iter().map(ToString::to_string).collect();
    let expected = [
        "kinds/review.yaml:1:7: this is no YAML: unclosed bracket '['",
        "kinds/thing.yaml:1:1: `summary` is missing",
        "kinds/thing.yaml:3:1: `sumary` is unknown here; perhaps `summary` is meant",
        "kinds/thing.yaml:7:20: there is no type `severty`; perhaps `severity` is meant",
        "kinds/thing.yaml:20:25: there is no state `kpt`; perhaps `kept` is meant",
        "kinds/thing.yaml:24:87: `soon` is no period; write hours as `24h`, days as `30d`, business days as `5bd`",
        "kinds/thing.yaml:33:19: `is` is never `opn`; perhaps `open` is meant",
        "policies/identity.yaml:1:1: `resolve_unseen_after` is missing",
        "policies/identity.yaml:1:11: `2` is no likeness: 0 to 1 are",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_other_files() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "wardroom.toml",
            "name = \"A\"\ntime_zone = \"Europe/Berln\"\n",
            "wardroom.toml:2:13: there is no time zone `Europe/Berln`; perhaps `Europe/Berlin` is meant",
        ),
        (
            "wardroom.toml",
            "name = \"A\"\nholidays = [\"2026-13-01\"]\n",
            "wardroom.toml:2:13: `2026-13-01` is no date; write it as `2026-12-25`",
        ),
        (
            "wardroom.toml",
            "name = \"A\"\nworking_days = [\"mondy\"]\n",
            "wardroom.toml:2:17: `mondy` is no day of the week; perhaps `monday` is meant",
        ),
        ("wardroom.toml", "name = \"A\"\nworking_days = []\n", "wardroom.toml: `working_days` names no day"),
        (
            "wardroom.toml",
            "name = 1\nzone = \"UTC\"\n",
            "wardroom.toml:1:8: a text is needed, not a number; put it in quotes\nwardroom.toml:2:1: `zone` is unknown here; there are name, time_zone, holidays, working_days",
        ),
        (
            "wardroom.toml",
            "name = \"A\nb = = 2\n",
            "wardroom.toml:1:10: this is no TOML: invalid basic string, expected `\"`\nwardroom.toml:2:1: `b` is unknown here; there are name, time_zone, holidays, working_days\nwardroom.toml:2:5: this is no TOML: extra `=`, expected nothing\nwardroom.toml:2:7: this is no TOML: unexpected key or value, expected newline, `#`",
        ),
        ("wardroom.toml", "", "wardroom.toml:1:1: `name` is missing"),
        (
            "policies/roles.yaml",
            "roles:\n  engine: {admin: true}\n",
            "policies/roles.yaml:2:3: `engine` is the role of scans and policies; no person can have it",
        ),
        (
            "policies/roles.yaml",
            "roles:\n  lead: {edit: true}\n",
            "policies/roles.yaml: no role may manage people; give one `admin: true`",
        ),
        (
            "policies/identity.yaml",
            "resolve_unseen_after: 1.5\nlikeness: 0.8\n",
            "policies/identity.yaml:1:23: `1.5` is no number of scans: 0 to 1000 are",
        ),
        ("policies/identity.yaml", "", "policies/identity.yaml: the file is empty"),
        (
            "policies/rules.yaml",
            "a: b",
            "policies/rules.yaml: this file is none that a program has; perhaps `policies/roles.yaml` is meant",
        ),
        (
            "policies/role.yaml",
            "a: b",
            "policies/role.yaml: this file is none that a program has; perhaps `policies/roles.yaml` is meant",
        ),
        (
            "kinds/readme.md",
            "a",
            "kinds/readme.md: this file is none that a program has; a kind is a file `kinds/NAME.yaml`",
        ),
        (
            "kinds/Big.yaml",
            "kind: Big\nprefix: B\nsummary: S\nfields: {title: {type: text}}\nstates: {a: {}}\n",
            "kinds/Big.yaml: `Big` is no name: a small letter, then small letters, digits and `_`, at most 40 in all",
        ),
        ("scans/sources.toml", "= what this is, this version does not read", ""),
    ];
    let mut wrong = Vec::new();
    for (path, text, expected) in cases {
        let found: Vec<String> = with(path, text).into_iter().filter(|p| p.starts_with(path)).collect();
        if found.join("\n") != *expected {
            wrong.push(format!(
                "{path:?}, {text:?}\n  found    {:?}\n  expected {expected:?}",
                found.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_that_are_missing() {
    let found: Vec<String> = load(&[]).problems.iter().map(ToString::to_string).collect();
    let expected = [
        "kinds/finding.yaml: the file is missing: scans open records of this kind",
        "policies/identity.yaml: the file is missing",
        "policies/roles.yaml: the file is missing",
        "wardroom.toml: the file is missing",
    ];
    assert_eq!(found, expected);
}

#[test]
fn scans_need_their_transitions() {
    let text = &built_in().iter().find(|f| f.path == "kinds/finding.yaml").expect("the file").text;
    let gone = text.replace("  vanish:\n", "  vanishes:\n");
    let first = &with("kinds/finding.yaml", &gone)[0];
    assert_eq!(first, "kinds/finding.yaml:3:7: scans need a transition `vanish`, which is missing");
    let barred = text.replacen(
        "from: proposed\n    to: new\n    who: engine",
        "from: proposed\n    to: new\n    who: lead",
        1,
    );
    assert_ne!(&barred, text);
    let found = with("kinds/finding.yaml", &barred);
    let said = ": `adopt` is not for `engine`: scans take it; add `engine` to its `who`";
    assert!(found.len() == 1 && found[0].ends_with(said), "{found:?}");
}
