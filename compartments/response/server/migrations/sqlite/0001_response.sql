CREATE TABLE incident (
    incident    BIGINT PRIMARY KEY,
    title       TEXT   NOT NULL,
    fallen      TEXT   NOT NULL, -- callers' names, separated by blanks
    from_ms     BIGINT NOT NULL,
    to_ms       BIGINT,
    found       TEXT   NOT NULL,
    declared_ms BIGINT NOT NULL,
    declared_by TEXT   NOT NULL
);

CREATE TABLE journal (
    entry    BIGINT PRIMARY KEY,
    incident BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL,
    who      TEXT   NOT NULL,
    action   TEXT   NOT NULL,
    detail   TEXT   NOT NULL
);
CREATE INDEX journal_by_incident ON journal (incident, entry);

-- Alarms: those of keys, as copied, and our own.
CREATE TABLE feed (
    seq      BIGINT PRIMARY KEY,
    keys_seq BIGINT, -- its number at keys; NULL for our own
    kind     TEXT   NOT NULL,
    caller   TEXT   NOT NULL, -- '' where no caller set it off
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    detail   TEXT   NOT NULL
);

-- What was found or done for an incident, as JSON: 'exposure', 'frozen', 'voided', 'notice'.
CREATE TABLE finding (
    incident BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    body     TEXT   NOT NULL,
    PRIMARY KEY (incident, kind)
);

-- Who is exposed: one Roaring bitmap a level and field.
CREATE TABLE exposure_bitmap (
    incident BIGINT NOT NULL,
    level    TEXT   NOT NULL,
    field    TEXT   NOT NULL,
    records  BLOB   NOT NULL,
    PRIMARY KEY (incident, level, field)
);

CREATE TABLE letter (
    letter      BIGINT PRIMARY KEY,
    incident    BIGINT NOT NULL,
    audience    TEXT   NOT NULL,
    seed        BLOB   NOT NULL, -- makes Message-IDs that nobody can guess
    warrant     TEXT,
    planned     BIGINT NOT NULL, -- 1 when the ledger is whole
    started_ms  BIGINT,
    finished_ms BIGINT,
    UNIQUE (incident, audience)
);

CREATE TABLE ledger (
    letter  BIGINT NOT NULL,
    person  BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    fields  BIGINT NOT NULL, -- what was read or presented, as the bits of a field set
    outcome TEXT,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (letter, person)
);
-- What was put off comes after what was not tried yet.
CREATE INDEX ledger_by_state ON ledger (letter, state, at_ms, person);
