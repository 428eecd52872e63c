//! A kind out of its file: every name in it is looked for, and what is wrong is said.

use crate::asks::{Scope, ValueName};
use crate::names::{self, ENGINE};
use crate::problem::{At, Place, Problems, crop, instead};
use crate::raw;
use crate::read::{Entries, Words};
use crate::{
    Condition, Field, FieldType, Kind, Label, Leaves, Letter, Link, Period, Queue, Retention, State,
    Transition, search,
};

mod computed;
mod effect;
mod example;
mod rules;

/// What the files around a kind say, as far as they could be read.
pub struct Around<'a> {
    /// Kinds by name, in the order of their files.
    pub kinds: Vec<(&'a str, &'a raw::Kind)>,
    /// The names of all kinds, with those whose files could not be read.
    pub names: Vec<&'a str>,
    /// The names of roles; none where their file could not be read.
    pub roles: Option<Vec<&'a str>>,
    /// The values of policies.
    pub values: Vec<ValueName>,
}

impl<'a> Around<'a> {
    fn kind(&self, name: &str) -> Option<&'a raw::Kind> {
        self.kinds.iter().find(|(n, _)| *n == name).map(|(_, k)| *k)
    }
}

/// Builds the kind of one file. It is of use only where no problem was added.
pub fn kind(stem: &str, raw: &raw::Kind, around: &Around<'_>, problems: &mut Problems) -> Kind {
    if raw.kind.place != Place::FILE && raw.kind.value != stem {
        let help = format!("name the file kinds/{}.yaml or the kind `{stem}`", crop(raw.kind.text()));
        problems.about(&raw.kind, "the kind and its file have different names", Some(help));
    }
    if !names::fits(stem) {
        problems.add(Place::FILE, NAME_RULE.replace("{}", &crop(stem)), None);
    }
    let prefix = &raw.prefix;
    if !(1..=4).contains(&prefix.value.len()) || !prefix.value.bytes().all(|b| b.is_ascii_uppercase()) {
        let message = format!("`{}` is no prefix: one to four capital letters are", crop(prefix.text()));
        problems.about(prefix, message, None);
    }
    let states: Vec<&str> = raw.states.names().collect();
    let fields = fields(raw, around, problems);
    let scope = Scope::of(&fields, &states, stem);
    let mut fields = fields;
    computed::all(raw, stem, &mut fields, &states, around, problems);
    let title = title(raw.title.as_ref(), stem);
    let mut kind = Kind {
        name: stem.to_owned(),
        plural: raw.plural.as_ref().map_or_else(|| format!("{title}s"), |p| p.value.clone()),
        title,
        prefix: prefix.value.clone(),
        summary: raw.summary.value.clone(),
        opened_by: raw.opened_by.as_ref().map_or_else(Vec::new, |w| roles(w, around, problems)),
        confidential: flag(raw.confidential.as_ref()),
        states: self::states(raw, problems),
        transitions: transitions(raw, stem, around, &fields, &scope, problems),
        clocks: rules::clocks(raw, &fields, &states, &scope, problems),
        priority: rules::priority(raw, &scope, problems),
        fields,
        labels: labels(raw, problems),
        open_labels: flag(raw.open_labels.as_ref()),
        links: links(raw, around, problems),
        queues: Vec::new(),
        letters: Vec::new(),
        examples: Vec::new(),
    };
    reached(raw, &kind, problems);
    kind.queues = queues(raw, &kind, around, problems);
    kind.letters = letters(raw, &kind, problems);
    kind.examples = example::all(raw, &kind, around, problems);
    kind
}

const NAME_RULE: &str =
    "`{}` is no name: a small letter, then small letters, digits and `_`, at most 40 in all";

fn named(name: &At<String>, problems: &mut Problems) {
    if !names::fits(name.text()) {
        problems.about(name, NAME_RULE.replace("{}", &crop(name.text())), None);
    }
}

fn title(given: Option<&At<String>>, name: &str) -> String {
    given.map_or_else(|| names::title(name), |t| t.value.clone())
}

fn text(given: Option<&At<String>>) -> String {
    given.map_or_else(String::new, |t| t.value.clone())
}

fn flag(given: Option<&At<bool>>) -> bool {
    given.is_some_and(|f| f.value)
}

fn entries<T>(given: Option<&Entries<T>>) -> &[(At<String>, T)] {
    given.map_or(&[], |e| &e.0)
}

/// Says that a word is none of those that may stand there.
fn known<'a>(
    what: &str,
    word: &At<String>,
    names: impl IntoIterator<Item = &'a str>,
    problems: &mut Problems,
) -> bool {
    let names: Vec<&str> = names.into_iter().collect();
    let known = names.contains(&word.text());
    // Every kind has states: where none could be read, that was said, and is enough.
    let unread = what == "state" && names.is_empty();
    if !known && !unread {
        problems.about(
            word,
            format!("there is no {what} `{}`", crop(word.text())),
            instead(word.text(), names),
        );
    }
    known
}

fn all_known(what: &str, words: &Words, names: &[&str], problems: &mut Problems) -> Vec<String> {
    for word in &words.0 {
        known(what, word, names.iter().copied(), problems);
    }
    words.0.iter().map(|w| w.value.clone()).collect()
}

fn roles(words: &Words, around: &Around<'_>, problems: &mut Problems) -> Vec<String> {
    if let Some(roles) = &around.roles {
        let names: Vec<&str> = roles.iter().copied().chain([ENGINE]).collect();
        all_known("role", words, &names, problems);
    }
    words.0.iter().map(|w| w.value.clone()).collect()
}

fn period(at: &At<String>, problems: &mut Problems) -> Option<Period> {
    match at.text().parse() {
        Ok(period) => Some(period),
        Err(_) => {
            let help = "write hours as `24h`, days as `30d`, business days as `5bd`".to_owned();
            problems.about(at, format!("`{}` is no period", crop(at.text())), Some(help));
            None
        }
    }
}

fn condition(at: Option<&At<String>>, scope: &Scope, problems: &mut Problems) -> Option<Condition> {
    at.and_then(|at| scope.condition(at, problems))
}

fn fields(raw: &raw::Kind, around: &Around<'_>, problems: &mut Problems) -> Vec<Field> {
    if raw.fields.1 != Place::FILE && raw.fields.names().all(|name| name != "title") {
        problems.about(&raw.kind, "the kind has no field `title`, by which records are shown", None);
    }
    let mut fields = Vec::new();
    for (name, field) in &raw.fields.0 {
        named(name, problems);
        if names::FACTS.contains(&name.text()) || [names::CALLER, ENGINE].contains(&name.text()) {
            let message =
                format!("a field cannot be called `{}`: conditions know something else by it", name.value);
            problems.about(name, message, None);
        }
        if let Some(flag) = field.search.as_ref().filter(|s| s.value && search::taken(name.text())) {
            let message =
                format!("searches know something else by `{}`, so the field is never found", name.value);
            problems.about(flag, message, None);
        }
        let kind = field_type(field, around, problems);
        if name.value == "title" && !matches!(kind, None | Some(FieldType::Text)) {
            problems.about(&field.r#type, "`title` is a text", None);
        }
        fields.push(Field {
            name: name.value.clone(),
            title: title(field.title.as_ref(), name.text()),
            // A type that is unknown was said; `Text` keeps the field's name known to the rest.
            kind: kind.unwrap_or(FieldType::Text),
            required: flag(field.required.as_ref()),
            search: flag(field.search.as_ref()),
            // People see what is computed, and set it as little as what scans say.
            engine: flag(field.engine.as_ref()) || field.compute.is_some() || field.gather.is_some(),
            compute: None,
            gather: None,
            personal: field
                .personal
                .as_ref()
                .and_then(|p| period(p, problems))
                .map(|keep| Retention { keep }),
            help: text(field.help.as_ref()),
        });
    }
    fields
}

fn field_type(field: &raw::Field, around: &Around<'_>, problems: &mut Problems) -> Option<FieldType> {
    let name = field.r#type.text();
    if let Some(choices) = field.choices.as_ref().filter(|_| name != "choice") {
        let at = choices.first().unwrap_or(&field.r#type);
        problems.about(at, "only a field of type `choice` has choices", None);
    }
    if let Some(of) = field.of.as_ref().filter(|_| name != "record") {
        problems.about(of, "only a field of type `record` has `of`", None);
    }
    Some(match name {
        "text" => FieldType::Text,
        "markdown" => FieldType::Markdown,
        "word" => FieldType::Word,
        "severity" => FieldType::Severity,
        "confidence" => FieldType::Confidence,
        "number" => FieldType::Number,
        "date" => FieldType::Date,
        "person" => FieldType::Person,
        "team" => FieldType::Team,
        "cvss" => FieldType::Cvss,
        "url" => FieldType::Url,
        "flag" => FieldType::Flag,
        "choice" => {
            let choices = field.choices.as_deref().unwrap_or_default();
            if choices.is_empty() {
                problems.about(
                    &field.r#type,
                    "a `choice` needs choices",
                    Some("add `choices: [one, two]`".to_owned()),
                );
            }
            let mut seen: Vec<String> = Vec::new();
            for choice in choices {
                if choice.value.trim().is_empty() {
                    problems.about(choice, "a choice cannot be empty", None);
                } else if seen.contains(&choice.value) {
                    problems.about(choice, format!("`{}` stands here twice", crop(choice.text())), None);
                }
                seen.push(choice.value.clone());
            }
            FieldType::Choice(seen)
        }
        "record" => {
            if let Some(of) = &field.of {
                known("kind", of, around.names.iter().copied(), problems);
            }
            FieldType::Record(field.of.as_ref().map(|of| of.value.clone()))
        }
        other => {
            let help = instead(other, names::TYPES.iter().copied());
            problems.about(&field.r#type, format!("there is no type `{}`", crop(other)), help);
            return None;
        }
    })
}

fn states(raw: &raw::Kind, problems: &mut Problems) -> Vec<State> {
    if raw.states.1 != Place::FILE && raw.states.0.is_empty() {
        problems.about(&raw.kind, "the kind has no state", None);
    }
    let transitions = entries(raw.transitions.as_ref());
    let mut states = Vec::new();
    for (name, state) in &raw.states.0 {
        named(name, problems);
        if let Some(leaves) = &state.leaves {
            let dates = raw.fields.0.iter().filter(|(_, f)| f.r#type.value == "date");
            known("date field", &leaves.after, dates.map(|(n, _)| n.text()), problems);
            if known("transition", &leaves.by, transitions.iter().map(|(n, _)| n.text()), problems) {
                let way = transitions.iter().find(|(n, _)| n.value == leaves.by.value).map(|(_, t)| t);
                let has = |words: &Words, word: &str| words.0.iter().any(|w| w.value == word);
                if way.is_some_and(|t| !has(&t.from, name.text())) {
                    let message = format!("`{}` does not lead out of `{}`", leaves.by.value, name.value);
                    problems.about(&leaves.by, message, None);
                }
                if way.is_some_and(|t| !has(&t.who, ENGINE)) {
                    let message = format!(
                        "`{}` is not for `engine`, which leaves the state on that day",
                        leaves.by.value
                    );
                    problems.about(&leaves.by, message, Some("add `engine` to its `who`".to_owned()));
                }
            }
        }
        states.push(State {
            name: name.value.clone(),
            title: title(state.title.as_ref(), name.text()),
            open: flag(state.open.as_ref()),
            entry: flag(state.entry.as_ref()),
            help: text(state.help.as_ref()),
            leaves: state
                .leaves
                .as_ref()
                .map(|l| Leaves { after: l.after.value.clone(), by: l.by.value.clone() }),
        });
    }
    states
}

fn transitions(
    raw: &raw::Kind,
    stem: &str,
    around: &Around<'_>,
    fields: &[Field],
    scope: &Scope,
    problems: &mut Problems,
) -> Vec<Transition> {
    let states: Vec<&str> = raw.states.names().collect();
    let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    let scope = scope.with_caller();
    let mut transitions = Vec::new();
    for (name, way) in entries(raw.transitions.as_ref()) {
        named(name, problems);
        known("state", &way.to, states.iter().copied(), problems);
        transitions.push(Transition {
            name: name.value.clone(),
            title: title(way.title.as_ref(), name.text()),
            from: all_known("state", &way.from, &states, problems),
            to: way.to.value.clone(),
            who: roles(&way.who, around, problems),
            needs: way.needs.as_ref().map_or_else(Vec::new, |w| all_known("field", w, &names, problems)),
            needs_evidence: flag(way.evidence.as_ref()),
            needs_reason: flag(way.reason.as_ref()),
            when: condition(way.when.as_ref(), &scope, problems),
            otherwise: text(way.otherwise.as_ref()),
            confirm: flag(way.confirm.as_ref()),
            help: text(way.help.as_ref()),
            then: effect::all(raw, stem, way, around, problems),
        });
    }
    transitions
}

/// Says which states no record comes to, and which open ones none ever leaves.
fn reached(raw: &raw::Kind, kind: &Kind, problems: &mut Problems) {
    let state = |name: &String| kind.state(name).is_some();
    if !kind.transitions.iter().all(|t| state(&t.to) && !t.from.is_empty() && t.from.iter().all(state)) {
        // A name that is wrong was said, and would be said here a second time.
        return;
    }
    let mut reached: Vec<&str> = kind.states.iter().take(1).map(|s| s.name.as_str()).collect();
    reached.extend(kind.states.iter().filter(|s| s.entry).map(|s| s.name.as_str()));
    let mut next = 0;
    while let Some(state) = reached.get(next).copied() {
        next += 1;
        for way in kind.ways_out(state) {
            if !reached.contains(&way.to.as_str()) {
                reached.push(&way.to);
            }
        }
    }
    for (name, _) in &raw.states.0 {
        let state = name.text();
        if !reached.contains(&state) {
            let help = "add a transition to it, or `entry: true` where engines open records in it".to_owned();
            problems.about(name, format!("no transition leads to the state `{}`", crop(state)), Some(help));
        } else if kind.state(state).is_some_and(|s| s.open) && kind.ways_out(state).next().is_none() {
            let message = format!("the state `{}` is open, and no transition leads out of it", crop(state));
            problems.about(name, message, None);
        }
    }
}

fn labels(raw: &raw::Kind, problems: &mut Problems) -> Vec<Label> {
    let mut labels = Vec::new();
    for (name, help) in entries(raw.labels.as_ref()) {
        let text = name.text();
        let fits = !text.is_empty()
            && text.chars().count() <= 80
            && text.to_lowercase() == text
            && text.chars().all(|c| c.is_alphanumeric() || "-_:./ ".contains(c));
        if !fits {
            let message = format!(
                "`{}` is no label: small letters, digits, spaces and -_:./ are, at most 80",
                crop(text)
            );
            problems.about(name, message, None);
        }
        labels.push(Label { name: text.to_owned(), help: help.value.clone() });
    }
    labels
}

fn links(raw: &raw::Kind, around: &Around<'_>, problems: &mut Problems) -> Vec<Link> {
    let mut links = Vec::new();
    for (name, link) in entries(raw.links.as_ref()) {
        named(name, problems);
        if let Some(to) = &link.to {
            known("kind", to, around.names.iter().copied(), problems);
        }
        links.push(Link {
            name: name.value.clone(),
            title: title(link.title.as_ref(), name.text()),
            back: link.back.value.clone(),
            to: link.to.as_ref().map(|t| t.value.clone()),
        });
    }
    links
}

fn queues(raw: &raw::Kind, kind: &Kind, around: &Around<'_>, problems: &mut Problems) -> Vec<Queue> {
    let mut queues = Vec::new();
    for (name, queue) in entries(raw.queues.as_ref()) {
        named(name, problems);
        search::check(kind, &around.names, &queue.search, problems);
        queues.push(Queue {
            name: name.value.clone(),
            title: title(queue.title.as_ref(), name.text()),
            search: queue.search.value.clone(),
        });
    }
    queues
}

fn letters(raw: &raw::Kind, kind: &Kind, problems: &mut Problems) -> Vec<Letter> {
    let mut letters = Vec::new();
    for (name, letter) in entries(raw.letters.as_ref()) {
        named(name, problems);
        let fields: Vec<&str> = kind.fields.iter().map(|f| f.name.as_str()).chain(["id", "state"]).collect();
        let mut rest = letter.body.text();
        while let Some((_, after)) = rest.split_once("{{") {
            let Some((word, after)) = after.split_once("}}") else {
                problems.about(&letter.body, "`{{` is never closed by `}}`", None);
                break;
            };
            let word = word.trim();
            if !fields.contains(&word) {
                let message = format!("the letter asks for `{}`, which is no field", crop(word));
                problems.about(&letter.body, message, instead(word, fields.iter().copied()));
            }
            rest = after;
        }
        letters.push(Letter {
            name: name.value.clone(),
            title: title(letter.title.as_ref(), name.text()),
            body: letter.body.value.clone(),
        });
    }
    letters
}
