//! The shortest way through a store.

use serde_json::json;
use wardroom_desk::{Actor, Change, Event, Record, RecordId};
use wardroom_store::{Append, Document, Store, ledger};
use wardroom_store_sqlite::{Options, SqliteStore};

#[tokio::test]
async fn what_is_appended_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let store = SqliteStore::create(&path, &Options::default()).await.unwrap();
    let event = Event {
        seq: 1,
        at: 5,
        actor: Actor::Scan,
        batch: 1,
        record: RecordId::new("F", 1),
        version: 1,
        change: Change::Opened {
            kind: "finding".into(),
            state: "new".into(),
            open: true,
            fields: [("title".to_owned(), json!("SQL injection"))].into(),
            confidential: false,
        },
    };
    let record = Record::opened(&event).unwrap();
    let append =
        Append { events: vec![event.clone()], records: vec![record.clone()], documents: vec![], at: 5 };
    let head = store.append(&append).await.unwrap();
    assert_eq!((head.seq, head.no), (1, 1));
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.record(1).await.unwrap(), Some(record));
    assert_eq!(store.timeline(1, 0, 10).await.unwrap(), vec![event]);
    assert!(store.append(&append).await.is_err());
    let session = Document {
        collection: "session".into(),
        key: "k".into(),
        owner: None,
        body: json!({}),
        expires: None,
    };
    assert!(store.put_new(&session).await.unwrap());
    assert!(!store.put_new(&session).await.unwrap());
    store.put_file(&ledger::digest(b"x"), b"x").await.unwrap();
    let (checkpoint, proof) = ledger::prove(&store, 1).await.unwrap();
    assert!(ledger::signed_by(&checkpoint, &store.public_key()));
    assert!(proof.is_empty());
    store.backup(&folder.path().join("copy.db")).await.unwrap();
    store.close().await.unwrap();
    SqliteStore::open(&path, &Options::default()).await.unwrap();
}
