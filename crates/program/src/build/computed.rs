//! Fields that are computed or gathered: whether their formulas ask for what exists.

use super::{Around, entries, fields as fields_of, known};
use crate::asks::Scope;
use crate::names::GATHERS;
use crate::problem::{Problems, crop};
use crate::{By, Field, FieldType, Gather, raw};

/// Compiles the formulas of a kind into its fields. One may ask for what is computed further up, so no
/// circle can be.
pub fn all(
    raw: &raw::Kind,
    stem: &str,
    fields: &mut [Field],
    states: &[&str],
    around: &Around<'_>,
    problems: &mut Problems,
) {
    let mut later: Vec<&str> =
        raw.fields.0.iter().filter(|(_, f)| f.compute.is_some()).map(|(n, _)| n.text()).collect();
    for (name, field) in &raw.fields.0 {
        if let Some(gather) = &field.gather {
            if field.r#type.value != "number" {
                problems.about(&field.r#type, "what is gathered is a number", None);
            }
            let gathered = self::gather(stem, gather, around, problems);
            if let Some(ours) = fields.iter_mut().find(|f| f.name == name.value) {
                ours.gather = gathered;
            }
        }
        let Some(source) = &field.compute else { continue };
        if field.gather.is_some() {
            problems.about(source, "a field is either computed or gathered", None);
        }
        if field.required.as_ref().is_some_and(|r| r.value) {
            problems.about(source, "what is computed cannot be required of people", None);
        }
        let known: Vec<Field> =
            fields.iter().filter(|f| !later.contains(&f.name.as_str())).cloned().collect();
        let scope = Scope::of(&known, states, stem).with_values(&around.values);
        if let Some(ours) = fields.iter_mut().find(|f| f.name == name.value) {
            ours.compute = scope.formula(source, &ours.kind, problems);
        }
        later.retain(|n| *n != name.text());
    }
}

fn gather(stem: &str, gather: &raw::Gather, around: &Around<'_>, problems: &mut Problems) -> Option<Gather> {
    known("kind", &gather.from, around.names.iter().copied(), problems);
    known("way to gather", &gather.by, GATHERS.iter().copied(), problems);
    if gather.from.value == "finding" {
        problems.about(
            &gather.from,
            "nothing is gathered from findings: scans change them by the thousand",
            None,
        );
    }
    let other = around.kind(gather.from.text())?;
    let links = entries(other.links.as_ref());
    if known("link", &gather.link, links.iter().map(|(n, _)| n.text()), problems)
        && links
            .iter()
            .any(|(n, l)| n.value == gather.link.value && l.to.as_ref().is_some_and(|to| to.value != stem))
    {
        let message = format!(
            "the link `{}` of {} does not lead to a {stem}",
            gather.link.value,
            crop(gather.from.text())
        );
        problems.about(&gather.link, message, None);
    }
    // What is wrong with the other kind is said in its own file.
    let fields = fields_of(other, around, &mut Problems::of(""));
    let states: Vec<&str> = other.states.names().collect();
    let scope = Scope::of(&fields, &states, gather.from.text()).with_values(&around.values);
    Some(Gather {
        from: gather.from.value.clone(),
        link: gather.link.value.clone(),
        by: match gather.by.text() {
            "count" => By::Count,
            "highest" => By::Highest,
            "lowest" => By::Lowest,
            "mean" => By::Mean,
            _ => By::Sum,
        },
        take: scope.formula(&gather.take, &FieldType::Number, problems)?,
    })
}
