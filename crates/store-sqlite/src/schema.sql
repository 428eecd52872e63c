-- Version 1. What is here never changes; a later version is a later file.

-- The log. What was written is never written again: the triggers keep honest programs honest, the
-- tree and its signed checkpoints show what a dishonest one did.
CREATE TABLE events (
    seq    INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    batch  INTEGER NOT NULL,
    -- Before the body, so that reading leaves never touches the pages that bodies overflow to.
    leaf   BLOB    NOT NULL,
    -- JSON, byte for byte as it was hashed.
    body   BLOB    NOT NULL
) STRICT;
CREATE INDEX events_by_record ON events (record, seq);
CREATE INDEX events_by_batch ON events (batch, seq);
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'an event is never changed'); END;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'an event is never removed'); END;

-- The right edge of the tree, one row, and the public key that signs its checkpoints.
CREATE TABLE tree (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    size   INTEGER NOT NULL,
    peaks  BLOB    NOT NULL,
    signer BLOB    NOT NULL
) STRICT;
CREATE TABLE tiles (
    level INTEGER NOT NULL,
    no    INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    PRIMARY KEY (level, no)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
    no        INTEGER PRIMARY KEY,
    size      INTEGER NOT NULL,
    root      TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    signature TEXT    NOT NULL
) STRICT;
CREATE INDEX checkpoints_by_size ON checkpoints (size);
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
    BEGIN SELECT raise(ABORT, 'a checkpoint is never changed'); END;

-- What the events add up to. All of it can be built again from them.
CREATE TABLE records (
    no   INTEGER PRIMARY KEY,
    body BLOB    NOT NULL
) STRICT;
-- A scope is long and stands on every key of a repository's branch, so keys hold its number.
CREATE TABLE scopes (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;
CREATE TABLE keys (
    scope INTEGER NOT NULL,
    key   TEXT    NOT NULL,
    no    INTEGER NOT NULL,
    PRIMARY KEY (scope, key, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_by_record ON keys (no);

CREATE TABLE documents (
    collection TEXT NOT NULL,
    key        TEXT NOT NULL,
    owner      TEXT,
    body       TEXT NOT NULL,
    expires    INTEGER,
    PRIMARY KEY (collection, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX documents_by_owner ON documents (collection, owner, key);
CREATE INDEX documents_by_expiry ON documents (expires) WHERE expires IS NOT NULL;

CREATE TABLE files (
    digest TEXT PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;
