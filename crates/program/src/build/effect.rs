//! What a transition does to other records: whether the other kind has what it names.

use super::{Around, entries, known};
use crate::Effect;
use crate::names::ENGINE;
use crate::problem::{At, Problems, crop, instead};
use crate::raw;

/// The effects of one transition.
pub fn all(
    raw: &raw::Kind,
    stem: &str,
    way: &raw::Transition,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    for effect in way.then.as_deref().unwrap_or_default() {
        match (&effect.open, &effect.r#move) {
            (Some(kind), None) => effects.push(open(raw, stem, kind, effect, around, problems)),
            (None, Some(transition)) => effects.push(take(raw, transition, effect, around, problems)),
            (Some(_), Some(second)) => {
                problems.about(
                    second,
                    "an effect either opens or moves a record",
                    Some("make two of it".to_owned()),
                );
            }
            (None, None) => {
                problems.about(&effect.link, "an effect needs `open` or `move`", None);
            }
        }
    }
    effects
}

fn open(
    raw: &raw::Kind,
    stem: &str,
    kind: &At<String>,
    effect: &raw::Effect,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Effect {
    known("kind", kind, around.names.iter().copied(), problems);
    if let Some(other) = around.kind(kind.text()) {
        let links = entries(other.links.as_ref());
        let name = effect.link.text();
        match links.iter().find(|(n, _)| n.value == name) {
            None => {
                let help = instead(name, links.iter().map(|(n, _)| n.text()));
                problems.about(&effect.link, format!("{} has no link `{}`", kind.value, crop(name)), help);
            }
            Some((_, link)) if link.to.as_ref().is_some_and(|to| to.value != stem) => {
                let message = format!("the link `{name}` of {} does not lead to a {stem}", kind.value);
                problems.about(&effect.link, message, None);
            }
            Some(_) => {}
        }
        let filled: Vec<&str> = effect.fields.iter().flat_map(|f| f.names()).collect();
        for (needed, _) in other.fields.0.iter().filter(|(_, f)| f.required.as_ref().is_some_and(|r| r.value))
        {
            if !filled.contains(&needed.text()) {
                let message = format!("{} needs `{}` to be opened", kind.value, needed.value);
                problems.about(
                    kind,
                    message,
                    Some(format!("add it to the effect's `fields`: `{}: …`", needed.value)),
                );
            }
        }
        fields(raw, kind.text(), other, effect, problems);
    }
    Effect::Open { kind: kind.value.clone(), link: effect.link.value.clone(), fields: pairs(effect) }
}

fn take(
    raw: &raw::Kind,
    transition: &At<String>,
    effect: &raw::Effect,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Effect {
    let links = entries(raw.links.as_ref());
    if known("link", &effect.link, links.iter().map(|(n, _)| n.text()), problems) {
        let link = links.iter().find(|(n, _)| n.value == effect.link.value);
        match link.and_then(|(_, l)| l.to.as_ref()) {
            None => {
                let message = format!("the link `{}` must name the kind that it leads to", effect.link.value);
                problems.about(&effect.link, message, None);
            }
            Some(to) => {
                if let Some(other) = around.kind(to.text()) {
                    let ways = entries(other.transitions.as_ref());
                    match ways.iter().find(|(n, _)| n.value == transition.value) {
                        None => {
                            let help = instead(transition.text(), ways.iter().map(|(n, _)| n.text()));
                            let message =
                                format!("{} has no transition `{}`", to.value, crop(transition.text()));
                            problems.about(transition, message, help);
                        }
                        Some((_, way)) if !way.who.0.iter().any(|w| w.value == ENGINE) => {
                            let message = format!(
                                "`{}` of {} is not for `engine`, which takes it here",
                                transition.value, to.value
                            );
                            problems.about(transition, message, Some("add `engine` to its `who`".to_owned()));
                        }
                        Some(_) => {}
                    }
                    fields(raw, to.text(), other, effect, problems);
                }
            }
        }
    }
    Effect::Move {
        link: effect.link.value.clone(),
        transition: transition.value.clone(),
        fields: pairs(effect),
    }
}

/// Fields of the other kind, each filled from one of this kind that holds the same.
fn fields(raw: &raw::Kind, name: &str, other: &raw::Kind, effect: &raw::Effect, problems: &mut Problems) {
    for (theirs, ours) in entries(effect.fields.as_ref()) {
        let their = other.fields.0.iter().find(|(n, _)| n.value == theirs.value).map(|(_, f)| f);
        if their.is_none() {
            let help = instead(theirs.text(), other.fields.names());
            problems.about(theirs, format!("{name} has no field `{}`", crop(theirs.text())), help);
        }
        known("field", ours, raw.fields.names(), problems);
        let our = raw.fields.0.iter().find(|(n, _)| n.value == ours.value).map(|(_, f)| f);
        let (Some(their), Some(our)) = (their, our) else { continue };
        let (needed, given) = (their.r#type.text(), our.r#type.text());
        // Every word is a text, too; the other way round it may be refused when it is too late.
        let texts = ["text", "markdown"].contains(&needed) && !["number", "flag"].contains(&given);
        if needed != given && !texts {
            let message =
                format!("`{}` is a {given}, and `{}` of {name} takes a {needed}", ours.value, theirs.value);
            problems.about(ours, message, None);
        }
        for choice in our.choices.iter().flatten().filter(|_| needed == "choice") {
            let theirs_has = |c: &str| their.choices.iter().flatten().any(|t| t.value == c);
            if !theirs_has(choice.text()) {
                let message = format!("`{}` of {name} does not take `{}`", theirs.value, crop(choice.text()));
                problems.about(ours, message, None);
            }
        }
    }
}

fn pairs(effect: &raw::Effect) -> Vec<(String, String)> {
    entries(effect.fields.as_ref()).iter().map(|(to, from)| (to.value.clone(), from.value.clone())).collect()
}
