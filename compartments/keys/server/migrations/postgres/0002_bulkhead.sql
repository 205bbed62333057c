-- Secrets, each sealed under the root key for its name.
CREATE TABLE secret (
    name   TEXT PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- Every policy that was ever in force; the highest version is.
CREATE TABLE policy (
    version BIGINT PRIMARY KEY,
    signed  TEXT   NOT NULL -- with its signatures, as JSON
);

-- Until when a domain's compartment may re-seal its records.
CREATE TABLE reseal (
    domain   TEXT   PRIMARY KEY,
    until_ms BIGINT NOT NULL
);

-- Sets of records, 65,536 numbers a row: erased ones, those drawn under a warrant.
CREATE TABLE record_set (
    name  TEXT   NOT NULL,
    chunk BIGINT NOT NULL,
    bits  BYTEA  NOT NULL, -- a Roaring bitmap of the low 16 bits
    PRIMARY KEY (name, chunk)
);

-- What instances that share this database have taken of the budgets.
CREATE TABLE budget_use (
    caller    TEXT   NOT NULL,
    operation TEXT   NOT NULL,
    span      TEXT   NOT NULL,
    slot      BIGINT NOT NULL,
    records   BIGINT NOT NULL,
    PRIMARY KEY (caller, operation, span, slot)
);

-- Grows with every change that other instances must see.
CREATE TABLE generation (
    id    BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO generation (id, value) VALUES (0, 0);

-- Up to which alarm each place has been told.
CREATE TABLE alarm_delivery (
    sink TEXT   PRIMARY KEY,
    upto BIGINT NOT NULL
);

-- How many records were drawn under a warrant.
ALTER TABLE warrant ADD COLUMN drawn BIGINT NOT NULL DEFAULT 0;

-- The newest alarm's sequence number.
CREATE TABLE alarm_seq (
    newest BIGINT NOT NULL
);
INSERT INTO alarm_seq (newest) SELECT COALESCE(MAX(seq), 0) FROM alarm;

-- Up to which entry each log was looked through for decoys.
CREATE TABLE log_watch (
    origin TEXT   PRIMARY KEY,
    upto   BIGINT NOT NULL
);
