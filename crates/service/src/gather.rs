//! Numbers that a record gathers from those that are tied to it: brought along whenever one of them changes.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wardroom_desk::{Change, Draft, Fields, Record, facts, settle};
use wardroom_program::{Field, Kind, Program};

use crate::write::Together;
use crate::{Desk, Error};

/// Most records that one change may bring along: a program whose kinds gather from each other in a
/// circle ends here.
const MOST: usize = 1_000;

impl Desk {
    /// Brings what others gather from the changed records to where it belongs. What is brought along is
    /// put with the changes, and others may gather from that in turn.
    pub(crate) async fn gather(
        &self,
        now: i64,
        together: &Together,
        changed: &mut Together,
    ) -> Result<(), Error> {
        let program = self.program();
        let mut work = changed.order.clone();
        let mut brought = 0;
        while let Some(no) = work.pop() {
            let Some(source) = changed.drafts.get(&no) else { continue };
            for target in targets(&program, source) {
                let Some(mut draft) = self.draft_of(target, now, together, changed).await? else { continue };
                let Some(kind) = program.kind(&draft.record.kind) else { continue };
                let fields = self.gathered_by(&program, kind, &draft.record, now, together, changed).await?;
                if fields.is_empty() || brought == MOST {
                    continue;
                }
                brought += 1;
                let was = |name: &String| draft.record.fields.get(name).cloned().unwrap_or(Value::Null);
                let before = fields.keys().map(|name| (name.clone(), was(name))).collect();
                let because = "gathered from the records that are tied to it".to_owned();
                draft.push(Change::Set { fields, before, because });
                settle(&program, kind, &mut draft, now, "");
                changed.put(draft);
                work.push(target);
            }
        }
        Ok(())
    }

    /// The gathered fields of a record that no longer hold what they should, with what they should hold.
    async fn gathered_by(
        &self,
        program: &Program,
        kind: &Kind,
        record: &Record,
        now: i64,
        together: &Together,
        changed: &Together,
    ) -> Result<Fields, Error> {
        let mut fields = Fields::new();
        for (field, gather) in kind.fields.iter().filter_map(|f: &Field| Some((f, f.gather.as_ref()?))) {
            let tied: Vec<u32> = record
                .links
                .iter()
                .filter(|l| l.back && l.relation == gather.link)
                .filter(|l| program.by_prefix(&l.to.prefix).is_some_and(|k| k.name == gather.from))
                .map(|l| l.to.no)
                .collect();
            let mut numbers = Vec::new();
            for stored in self.store().records(&tied).await? {
                let no = stored.id.no;
                let newer = changed.drafts.get(&no).or_else(|| together.drafts.get(&no));
                let other = newer.map_or(&stored, |d| &d.record);
                numbers.extend(gather.take.value(&facts(other, now, program), program.ground()).as_f64());
            }
            // One that is only now opened is not in the store.
            let earlier = together.drafts.values().filter(|d| !changed.drafts.contains_key(&d.record.id.no));
            let fresh = changed.drafts.values().chain(earlier).filter(|d| d.fresh);
            for draft in fresh.filter(|d| tied.contains(&d.record.id.no)) {
                let facts = facts(&draft.record, now, program);
                numbers.extend(gather.take.value(&facts, program.ground()).as_f64());
            }
            let value = gather.by.of(&numbers).map_or(Value::Null, |n| json!(n));
            if record.fields.get(&field.name).unwrap_or(&Value::Null) != &value {
                fields.insert(field.name.clone(), value);
            }
        }
        Ok(fields)
    }
}

/// The records that gather from a changed one, those among them to which it was tied until now.
fn targets(program: &Program, source: &Draft) -> BTreeSet<u32> {
    let from = &source.record.kind;
    let ties = source.record.links.iter().filter(|l| !l.back).map(|l| (&l.relation, &l.to));
    let cut = source.changes.iter().filter_map(|c| match c {
        Change::Unlinked { relation, to, back: false } => Some((relation, to)),
        _ => None,
    });
    ties.chain(cut)
        .filter(|(relation, to)| {
            let kind = program.by_prefix(&to.prefix);
            kind.is_some_and(|k| {
                k.fields
                    .iter()
                    .any(|f| f.gather.as_ref().is_some_and(|g| g.from == *from && g.link == **relation))
            })
        })
        .map(|(_, to)| to.no)
        .collect()
}
