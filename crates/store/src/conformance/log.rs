//! Events, records, keys, documents and files.

use serde_json::json;
use wardroom_desk::{Record, scope};

use super::{Bench, Sample};
use crate::{Append, Document, Head, RecordSource, Store, StoreError, StoredEvent, ledger, rebuild};

fn head(seq: u64, no: u32) -> Head {
    Head { seq, no }
}

pub(super) async fn what_is_appended_is_read_in_order(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(1, 40));
    assert_eq!(store.head().await.unwrap(), Head::default());
    assert_eq!(store.events(0, 10).await.unwrap(), vec![]);
    let mut all = Vec::new();
    for append in [sample.open(30), sample.work(50), sample.open(1), sample.work(1)] {
        let after = store.append(&append).await.unwrap();
        let last = append.events.last().unwrap();
        assert_eq!(after, head(last.seq, if last.seq <= 110 { 30 } else { 31 }));
        assert_eq!(store.head().await.unwrap(), after);
        all.extend(append.events);
    }
    assert_eq!(store.events(0, 1000).await.unwrap(), all);
    assert_eq!(store.events(7, 3).await.unwrap(), all[7..10]);
    assert_eq!(store.event(5).await.unwrap().as_ref(), Some(&all[4]));
    assert_eq!(store.event(0).await.unwrap(), None);
    assert_eq!(store.event(10_000).await.unwrap(), None);
    for no in sample.records.keys() {
        let own: Vec<_> = all.iter().filter(|event| event.record.no == *no).cloned().collect();
        assert_eq!(store.timeline(*no, 0, 1000).await.unwrap(), own);
        assert_eq!(store.timeline(*no, own[0].seq, 1).await.unwrap(), own[1..2]);
    }
    let batch: Vec<_> = all.iter().filter(|event| event.batch == 61).cloned().collect();
    assert_eq!(batch.len(), 50);
    assert_eq!(store.batch(61).await.unwrap(), batch);
    let mut sorted = all.clone();
    sorted.sort_by_key(|event| (event.record.no, event.seq));
    let places = |events: Vec<StoredEvent>| events.iter().map(|e| (e.record, e.seq)).collect::<Vec<_>>();
    let sorted: Vec<_> = sorted.iter().map(|event| (event.record.no, event.seq)).collect();
    assert_eq!(places(store.by_record((0, 0), 1000).await.unwrap()), sorted);
    assert_eq!(places(store.by_record(sorted[9], 4).await.unwrap()), sorted[10..14]);

    let records: Vec<Record> = sample.records.values().cloned().collect();
    assert_eq!(store.records_after(0, 1000).await.unwrap(), records);
    assert_eq!(store.records_after(3, 2).await.unwrap(), records[3..5]);
    assert_eq!(store.record(2).await.unwrap().as_ref(), Some(&records[1]));
    assert_eq!(store.record(999).await.unwrap(), None);
    let asked = store.records(&[5, 999, 2, 5]).await.unwrap();
    assert_eq!(asked, [&records[4], &records[1], &records[4]].map(Clone::clone), "in the order asked for");
    assert_eq!(store.records(&[]).await.unwrap(), vec![]);
    for (stored, event) in store.stored(0, 1000).await.unwrap().iter().zip(&all) {
        assert_eq!((stored.seq, stored.record), (event.seq, event.record.no));
        assert_eq!(stored.leaf, ledger::leaf_hash(&stored.body));
        assert_eq!(serde_json::from_slice::<wardroom_desk::Event>(&stored.body).unwrap(), *event);
    }
}

pub(super) async fn gaps_and_stale_heads_are_refused(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(2, 10));
    let first = sample.open(2);
    let second = sample.work(3);
    let early = store.append(&second).await;
    assert!(matches!(early, Err(StoreError::Behind(0))), "{early:?}");
    store.append(&first).await.unwrap();
    let again = store.append(&first).await;
    assert!(matches!(again, Err(StoreError::Behind(4))), "{again:?}");
    let mut gap = second.clone();
    gap.events.last_mut().unwrap().seq += 1;
    let gap = store.append(&gap).await;
    assert!(matches!(gap, Err(StoreError::Behind(4))), "{gap:?}");
    assert_eq!(store.head().await.unwrap().seq, 4);
    store.append(&second).await.unwrap();
}

pub(super) async fn one_of_two_writers_wins(bench: &dyn Bench) {
    let (store, second) = (bench.store(), bench.second().await);
    let mut ours = Sample::new(3, 20);
    let first = ours.open(5);
    store.append(&first).await.unwrap();
    let mut theirs = ours.clone();
    theirs.below(1);
    for _ in 0..10 {
        // Both decide on the same head; exactly one of them may get through.
        let (one, other) = (ours.work(3), theirs.work(3));
        let written = store.append(&one).await;
        let refused = second.append(&other).await;
        assert!(written.is_ok(), "{written:?}");
        assert!(matches!(refused, Err(StoreError::Behind(seq)) if seq == ours.seq()), "{refused:?}");
        theirs = ours.clone();
        theirs.below(7);
        let caught_up = theirs.work(2);
        second.append(&caught_up).await.unwrap();
        ours = theirs.clone();
    }
    let events = store.events(0, 1000).await.unwrap();
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    assert_eq!(events.len() as u64, ours.seq());
    assert_eq!(second.head().await.unwrap(), store.head().await.unwrap());
}

fn document(key: &str, owner: Option<&str>, expires: Option<i64>) -> Document {
    let owner = owner.map(str::to_owned);
    Document {
        collection: "session".into(),
        key: key.into(),
        owner,
        body: json!({ "a": [1, null] }),
        expires,
    }
}

pub(super) async fn all_or_nothing(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(4, 10));
    store.append(&sample.open(3)).await.unwrap();
    let before = (store.records_after(0, 100).await.unwrap(), store.checkpoints().await.unwrap());
    let mut append = sample.open(400);
    append.documents.push(document("kept", None, None));
    append.events.last_mut().unwrap().seq += 5;
    assert!(store.append(&append).await.is_err());
    assert_eq!(store.head().await.unwrap(), head(6, 3));
    assert_eq!(store.records_after(0, 100).await.unwrap(), before.0);
    assert_eq!(store.checkpoints().await.unwrap(), before.1);
    assert_eq!(store.tiles(1, 0, 10).await.unwrap(), vec![]);
    assert_eq!(store.get("session", "kept", 0).await.unwrap(), None);
    append.events.last_mut().unwrap().seq -= 5;
    store.append(&append).await.unwrap();
    assert_eq!(store.get("session", "kept", 0).await.unwrap().as_ref(), append.documents.first());
    // Documents alone make no event and no checkpoint.
    let signed = store.checkpoints().await.unwrap().len();
    let alone = Append { documents: vec![document("alone", None, None)], ..Append::default() };
    store.append(&alone).await.unwrap();
    assert!(store.get("session", "alone", 0).await.unwrap().is_some());
    assert_eq!(store.checkpoints().await.unwrap().len(), signed);
}

pub(super) async fn a_record_must_come_with_its_events(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(5, 10));
    let append = sample.open(3);
    let without = Append { records: append.records[1..].to_vec(), ..append.clone() };
    assert!(store.append(&without).await.is_err());
    let mut stale = append.clone();
    stale.records[0].version = 1;
    assert!(store.append(&stale).await.is_err());
    store.append(&append).await.unwrap();
}

pub(super) async fn keys_follow_their_records(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(6, 10));
    for round in 0..6 {
        let append = if round == 0 { sample.open(300) } else { sample.work(200) };
        store.append(&append).await.unwrap();
        check_keys(store, &sample).await;
    }
    // Each of three repositories has a scope of its own, and one for its branch.
    assert_eq!(store.scopes("group/").await.unwrap().len(), 6);
    let of_one = ["group/app-1".to_owned(), scope("group/app-1", "main")];
    assert_eq!(store.scopes("group/app-1").await.unwrap(), of_one);
    assert_eq!(store.scopes("").await.unwrap().len(), 6);
    for nothing in ["group_", "group%", "zzz", "GROUP/"] {
        assert_eq!(store.scopes(nothing).await.unwrap(), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(store.find("no such", &["x".into()]).await.unwrap(), vec![]);
}

async fn check_keys(store: &dyn Store, sample: &Sample) {
    for app in 0..3 {
        let name = scope(&format!("group/app-{app}"), "main");
        let mut wanted: Vec<(String, u32)> = Vec::new();
        for record in sample.records.values() {
            let own = record.keys().into_iter().filter(|(scope, _)| *scope == name);
            wanted.extend(own.map(|(_, key)| (key, record.id.no)));
        }
        wanted.sort();
        let mut found = store.scope(&name).await.unwrap();
        found.sort();
        assert_eq!(found, wanted);
        let mut asked: Vec<String> = wanted.iter().map(|(key, _)| key.clone()).collect();
        asked.push("not there".into());
        asked.push("'; DROP TABLE keys; --".into());
        let mut found = store.find(&name, &asked).await.unwrap();
        found.sort();
        assert_eq!(found, wanted);
    }
}

pub(super) async fn documents_expire(bench: &dyn Bench) {
    let store = bench.store();
    let (forever, brief) = (document("a", Some("ada"), None), document("b", Some("bob"), Some(100)));
    store.put(&forever).await.unwrap();
    store.put(&brief).await.unwrap();
    assert_eq!(store.get("session", "b", 99).await.unwrap().as_ref(), Some(&brief));
    assert_eq!(store.get("session", "b", 100).await.unwrap(), None);
    assert_eq!(store.get("other", "a", 0).await.unwrap(), None);
    assert_eq!(store.list("session", None, 0).await.unwrap(), [forever.clone(), brief.clone()]);
    assert_eq!(store.list("session", None, 100).await.unwrap(), std::slice::from_ref(&forever));
    assert_eq!(store.list("session", Some("bob"), 0).await.unwrap(), std::slice::from_ref(&brief));
    assert_eq!(store.list("session", Some("eve"), 0).await.unwrap(), []);
    let changed = Document { owner: None, body: json!("other"), ..forever.clone() };
    assert!(!store.put_new(&changed, 0).await.unwrap());
    assert_eq!(store.get("session", "a", 0).await.unwrap().as_ref(), Some(&forever));
    store.put(&changed).await.unwrap();
    assert_eq!(store.get("session", "a", 0).await.unwrap().as_ref(), Some(&changed));
    assert!(!store.put_new(&brief, 99).await.unwrap());
    assert!(store.put_new(&brief, 100).await.unwrap(), "what has expired blocks nothing");
    assert_eq!(store.sweep(99).await.unwrap(), 0);
    assert_eq!(store.sweep(100).await.unwrap(), 1);
    assert!(store.put_new(&brief, 0).await.unwrap());
    assert!(store.remove("session", "b").await.unwrap());
    assert!(!store.remove("session", "b").await.unwrap());
}

pub(super) async fn files_are_what_their_digest_says(bench: &dyn Bench) {
    let store = bench.store();
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|i| (i * 31 % 251) as u8).collect();
    let digest = ledger::digest(&bytes);
    assert_eq!(store.file(&digest).await.unwrap(), None);
    store.put_file(&digest, &bytes).await.unwrap();
    store.put_file(&digest, &bytes).await.unwrap();
    assert_eq!(store.file(&digest).await.unwrap(), Some(bytes));
    assert!(store.put_file(&digest, b"something else").await.is_err());
    store.put_file(&ledger::digest(b""), b"").await.unwrap();
    assert_eq!(store.file(&ledger::digest(b"")).await.unwrap(), Some(Vec::new()));
}

/// Gives one batch, then fails.
struct Failing(Option<Vec<Record>>);

#[async_trait::async_trait]
impl RecordSource for Failing {
    async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        self.0.take().map(Some).ok_or_else(|| StoreError::Other("stopped".into()))
    }
}

pub(super) async fn records_are_built_again(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(7, 10));
    for _ in 0..4 {
        store.append(&sample.open(200)).await.unwrap();
        store.append(&sample.work(300)).await.unwrap();
    }
    let records = store.records_after(0, 10_000).await.unwrap();
    assert_eq!(records, sample.records.values().cloned().collect::<Vec<_>>());
    // What fails half way leaves everything as it was.
    let mut failing = Failing(Some(vec![records[0].clone()]));
    assert!(store.replace_records(sample.seq(), &mut failing).await.is_err());
    assert_eq!(store.records_after(0, 10_000).await.unwrap(), records);
    // Wrong records are put right.
    let mut wrong = records[0].clone();
    wrong.labels.insert("wrong".into());
    let mut once = Once(Some(vec![wrong]));
    let stale = store.replace_records(3, &mut Once(None)).await;
    assert!(matches!(stale, Err(StoreError::Behind(_))), "{stale:?}");
    store.replace_records(sample.seq(), &mut once).await.unwrap();
    assert_eq!(store.records_after(0, 10_000).await.unwrap().len(), 1);
    let mut last = 0;
    let events = rebuild(store, &mut |p| last = p.done).await.unwrap();
    assert_eq!((events, last), (sample.seq(), sample.seq()));
    assert_eq!(store.records_after(0, 10_000).await.unwrap(), records);
    check_keys(store, &sample).await;
}

struct Once(Option<Vec<Record>>);

#[async_trait::async_trait]
impl RecordSource for Once {
    async fn next(&mut self) -> Result<Option<Vec<Record>>, StoreError> {
        Ok(self.0.take())
    }
}
