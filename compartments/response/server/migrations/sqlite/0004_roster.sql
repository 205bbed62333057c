-- Whose records an incident is about: 'accounts' or 'roster'.
ALTER TABLE incident ADD COLUMN people TEXT NOT NULL DEFAULT 'accounts';

-- People of the shop's own table. Contact fields are sealed under the response domain's keys.
CREATE TABLE roster_person (
    record      BIGINT NOT NULL PRIMARY KEY,
    key         TEXT   NOT NULL UNIQUE, -- the shop's own number or code
    email_index BLOB, -- a keyed hash: logs may name people by address
    epoch       BIGINT NOT NULL,
    name        BLOB,
    email       BLOB,
    address     BLOB,
    country     TEXT,
    region      TEXT,
    language    TEXT   NOT NULL,
    minor       BIGINT NOT NULL,
    holds       BIGINT NOT NULL -- what the shop holds about the person, as the bits of a field set
);
CREATE INDEX roster_person_by_email ON roster_person (email_index);

-- The same in bitmaps, as they were when the roster was last finished.
CREATE TABLE roster_population (
    name    TEXT NOT NULL PRIMARY KEY,
    records BLOB NOT NULL
);

-- Access logs that were brought, or are being brought.
CREATE TABLE access_log (
    log        TEXT   NOT NULL PRIMARY KEY, -- SHA-256 of the file and its mapping
    name       TEXT   NOT NULL,
    format     TEXT   NOT NULL,
    brought_ms BIGINT NOT NULL,
    brought_by TEXT   NOT NULL,
    body       TEXT -- what it holds, as JSON; NULL until it is whole
);
