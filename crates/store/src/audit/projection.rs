//! Whether the stored records are what the events add up to.

use std::collections::BTreeMap;

use wardroom_desk::Record;

use super::problem::{Fault, Problems};
use crate::fold::{Folding, fold_one};
use crate::{Progress, RecordSource, Store, StoreError};

/// Folds all events and compares, record by record.
pub(super) async fn compare(
    store: &dyn Store,
    end: u64,
    progress: &mut (dyn FnMut(Progress) + Send),
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let mut folding = Folding::new(store, end, progress).lenient();
    let mut last = 0;
    while let Some(folded) = folding.next().await? {
        for stray in folding.strays() {
            problems.add(Fault::Record, stray.seq, String::new(), stray.text);
        }
        let nos: Vec<u32> = folded.iter().map(|record| record.id.no).collect();
        let stored = store.records(&nos).await?;
        let stored: BTreeMap<u32, Record> = stored.into_iter().map(|r| (r.id.no, r)).collect();
        for record in &folded {
            let mut found = stored.get(&record.id.no).cloned();
            let mut wanted = Some(record.clone());
            // It may have changed between the two reads: twice in a row is unlikely, wrong is wrong.
            for _ in 0..3 {
                if found == wanted {
                    break;
                }
                wanted = match fold_one(store, record.id.no).await {
                    // An event of it cannot be read, which is named already.
                    Err(StoreError::Damaged(_)) => break,
                    folded => folded?,
                };
                found = store.record(record.id.no).await?;
            }
            if found != wanted {
                let what = if found.is_none() { "is not stored" } else { "is not what its events add up to" };
                let detail = format!("record {} {what}", record.id);
                problems.add(Fault::Record, end, record.id.to_string(), detail);
            }
        }
        keys(store, &folded, end, problems).await?;
        last = nos.last().copied().unwrap_or(last);
    }
    for stray in folding.strays() {
        problems.add(Fault::Record, stray.seq, String::new(), stray.text);
    }
    let beyond = store.records_after(last, 1).await?;
    for record in beyond {
        let folded = fold_one(store, record.id.no).await;
        if matches!(folded, Ok(None) | Err(StoreError::Damaged(_))) {
            let detail = format!("record {} is stored but has no events", record.id);
            problems.add(Fault::Record, end, record.id.to_string(), detail);
        }
    }
    Ok(())
}

/// Whether each record is found by its keys.
async fn keys(
    store: &dyn Store,
    records: &[Record],
    end: u64,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let mut wanted: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    for record in records {
        for (scope, key) in record.keys() {
            wanted.entry(scope).or_default().push((key, record.id.no));
        }
    }
    for (scope, wanted) in wanted {
        let keys: Vec<String> = wanted.iter().map(|(key, _)| key.clone()).collect();
        let found = store.find(&scope, &keys).await?;
        let found: std::collections::BTreeSet<_> = found.into_iter().collect();
        for pair in wanted.into_iter().filter(|pair| !found.contains(pair)) {
            // As above: it may have got another key in the meantime.
            let now = store.record(pair.1).await?;
            if now.is_some_and(|record| record.keys().contains(&(scope.clone(), pair.0.clone()))) {
                let detail = format!("record {} is not found by its key", pair.1);
                problems.add(Fault::Record, end, pair.1.to_string(), detail);
            }
        }
    }
    Ok(())
}
