//! Following what others append, and carrying everything from one store into another.

use serde_json::json;

use super::{Bench, Sample};
use crate::audit::{Trust, verify};
use crate::{Append, Document, StoreError, ledger};

pub(super) async fn who_waits_is_told_of_what_others_append(bench: &dyn Bench) {
    let (store, mut sample) = (bench.store(), Sample::new(21, 10));
    let other = bench.second().await;
    let first = sample.open(2);
    other.append(&first).await.unwrap();
    assert_eq!(store.grown(0).await.unwrap(), 4, "what is there already is told at once");
    for _ in 0..3 {
        let (before, next) = (sample.seq(), sample.work(5));
        let waiting = store.grown(before);
        let appending = async { other.append(&next).await.unwrap() };
        // In this order: it waits first.
        let (told, head) = both(waiting, appending).await;
        assert_eq!(told.unwrap(), head.seq);
    }
}

/// Runs both to their ends in one task.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (Box::pin(one), Box::pin(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(move |context| {
        if first.is_none()
            && let std::task::Poll::Ready(value) = one.as_mut().poll(context)
        {
            first = Some(value);
        }
        if second.is_none()
            && let std::task::Poll::Ready(value) = other.as_mut().poll(context)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(a), Some(b)) => std::task::Poll::Ready((a, b)),
            (a, b) => {
                (first, second) = (a, b);
                std::task::Poll::Pending
            }
        }
    })
    .await
}

fn document(collection: &str, key: String, expires: Option<i64>) -> Document {
    let owner = expires.map(|_| "ana".to_owned());
    Document { collection: collection.into(), key, owner, body: json!({"ä": "\u{0}"}), expires }
}

pub(super) async fn everything_is_carried_into_an_empty_store(from: &dyn Bench, to: &dyn Bench) {
    let (source, target, mut sample) = (from.store(), to.store(), Sample::new(22, 10));
    assert_eq!(target.take_over(source).await.unwrap().seq, 0, "nothing is carried as nothing");
    for round in 0..4 {
        source.append(&sample.open(300)).await.unwrap();
        let mut work = sample.work(400);
        let key = |n: usize| format!("k{}", n + round * 1_000);
        work.documents.extend((0..300).map(|n| document("a", key(n), None)));
        work.documents.extend((0..300).map(|n| document("b", key(n), Some(7))));
        source.append(&work).await.unwrap();
        let bytes = vec![round as u8; 100_000];
        source.put_file(&ledger::digest(&bytes), &bytes).await.unwrap();
    }
    let head = target.take_over(source).await.unwrap();
    assert_eq!(head, source.head().await.unwrap());
    assert_eq!(target.head().await.unwrap(), head);
    assert_eq!(target.stored(0, 10_000).await.unwrap(), source.stored(0, 10_000).await.unwrap());
    assert_eq!(target.batch(601).await.unwrap(), source.batch(601).await.unwrap());
    let records = source.records_after(0, 10_000).await.unwrap();
    assert_eq!(target.records_after(0, 10_000).await.unwrap(), records);
    for scope in source.scopes("").await.unwrap() {
        assert_eq!(target.scope(&scope).await.unwrap(), source.scope(&scope).await.unwrap());
    }
    let documents = source.documents("", "", 10_000).await.unwrap();
    assert_eq!(documents.len(), 2_400, "also what has expired");
    assert_eq!(target.documents("", "", 10_000).await.unwrap(), documents);
    assert_eq!(target.documents("a", "k3", 2).await.unwrap(), source.documents("a", "k3", 2).await.unwrap());
    let digests = source.digests("", 10).await.unwrap();
    assert_eq!(digests.len(), 4);
    assert_eq!(source.digests(&digests[1], 1).await.unwrap(), digests[2..3]);
    for digest in &digests {
        assert_eq!(target.file(digest).await.unwrap(), source.file(digest).await.unwrap());
    }
    for level in 0..3 {
        let tiles = source.tiles(level, 0, 10_000).await.unwrap();
        assert_eq!(target.tiles(level, 0, 10_000).await.unwrap(), tiles);
    }
    let (old, new) = (source.checkpoints().await.unwrap(), target.checkpoints().await.unwrap());
    assert_eq!(new[..old.len()], old);
    let last = new.last().unwrap();
    assert_eq!((&last.root, last.size), (&old.last().unwrap().root, head.seq), "the same root");
    assert!(ledger::signed_by(last, &to.public_key()), "the store's own key vouches for it");
    let trust = Trust { keys: vec![from.public_key(), to.public_key()], known: old };
    let report = verify(target, &trust, true, &mut |_| {}).await.unwrap();
    assert_eq!(report.problems, vec![]);
    // It goes on from there as the other would, and is not filled twice.
    let next = sample.work(50);
    assert_eq!(target.append(&next).await.unwrap(), source.append(&next).await.unwrap());
    let roots = (target.newest_checkpoint().await.unwrap(), source.newest_checkpoint().await.unwrap());
    assert_eq!(roots.0.unwrap().root, roots.1.unwrap().root);
    let again = target.take_over(source).await;
    assert!(matches!(again, Err(StoreError::Behind(_))), "{again:?}");
}

pub(super) async fn what_was_tampered_with_is_not_carried(from: &dyn Bench, to: &dyn Bench) {
    let (source, target, mut sample) = (from.store(), to.store(), Sample::new(23, 10));
    for _ in 0..5 {
        source.append(&sample.open(150)).await.unwrap();
    }
    from.tamper(1_300, b"{}").await;
    let refused = target.take_over(source).await;
    assert!(matches!(&refused, Err(StoreError::Damaged(why)) if why.contains("1300")), "{refused:?}");
    assert_eq!(target.head().await.unwrap().seq, 0);
    assert_eq!(target.records_after(0, 10).await.unwrap(), vec![]);
    assert_eq!(target.newest_checkpoint().await.unwrap(), None);
    let alone = Append { documents: vec![document("a", "k".into(), None)], ..Append::default() };
    target.append(&alone).await.unwrap();
}
