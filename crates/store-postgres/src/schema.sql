-- Version 1. What is here never changes; a later version is a later file.
-- Texts that somebody else chose stand as bytes: PostgreSQL's texts hold no character 0, and sort by a language.

-- The log. What was written is never written again: triggers and withdrawn rights keep honest programs
-- honest, the tree and its signed checkpoints show what a dishonest one did.
CREATE TABLE events (
    seq    BIGINT PRIMARY KEY,
    record BIGINT NOT NULL,
    batch  BIGINT NOT NULL,
    leaf   BYTEA  NOT NULL,
    -- JSON, byte for byte as it was hashed.
    body   BYTEA  NOT NULL
);
CREATE INDEX events_by_record ON events (record, seq);
CREATE INDEX events_by_batch ON events (batch, seq);

-- The right edge of the tree, one row, and the public key that signs its checkpoints. Who appends locks it.
CREATE TABLE tree (
    sole   BOOLEAN PRIMARY KEY CHECK (sole),
    size   BIGINT NOT NULL,
    peaks  BYTEA  NOT NULL,
    signer BYTEA  NOT NULL
);
CREATE TABLE tiles (
    level SMALLINT NOT NULL,
    no    BIGINT   NOT NULL,
    hash  BYTEA    NOT NULL,
    PRIMARY KEY (level, no)
);
CREATE TABLE checkpoints (
    no        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    size      BIGINT NOT NULL,
    root      TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    signature TEXT   NOT NULL
);
CREATE INDEX checkpoints_by_size ON checkpoints (size);

CREATE FUNCTION wardroom_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION wardroom_never();
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION wardroom_never();
REVOKE UPDATE, DELETE, TRUNCATE ON events FROM CURRENT_USER;
REVOKE UPDATE, TRUNCATE ON checkpoints FROM CURRENT_USER;

-- What the events add up to. All of it can be built again from them.
CREATE TABLE records (
    no   BIGINT PRIMARY KEY,
    body BYTEA  NOT NULL
);
-- A scope is long and stands on every key of a repository's branch, so keys hold its number.
CREATE TABLE scopes (
    id   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name BYTEA NOT NULL UNIQUE
);
CREATE TABLE keys (
    scope BIGINT NOT NULL,
    key   BYTEA  NOT NULL,
    no    BIGINT NOT NULL,
    PRIMARY KEY (scope, key, no)
);
CREATE INDEX keys_by_record ON keys (no);

CREATE TABLE documents (
    collection BYTEA NOT NULL,
    key        BYTEA NOT NULL,
    owner      BYTEA,
    body       BYTEA NOT NULL,
    expires    BIGINT,
    PRIMARY KEY (collection, key)
);
CREATE INDEX documents_by_owner ON documents (collection, owner, key);
CREATE INDEX documents_by_expiry ON documents (expires) WHERE expires IS NOT NULL;

CREATE TABLE files (
    digest TEXT COLLATE "C" PRIMARY KEY,
    bytes  BYTEA NOT NULL
);
