-- The ledger: one row a person and letter, written when it is planned and when there is an outcome.
-- Who works on it stands in its batch.
ALTER TABLE ledger RENAME TO ledger_before_batches;
DROP INDEX ledger_by_state;
ALTER INDEX ledger_pkey RENAME TO ledger_before_batches_pkey;
CREATE TABLE ledger (
    at_ms    BIGINT   NOT NULL,
    -- Since when the relay may have had the letter, where that is before at_ms: it was put off, was in
    -- doubt, or came back. 1 where nobody knows since when, 0 where at_ms says it.
    tried_ms BIGINT   NOT NULL DEFAULT 0,
    letter   INTEGER  NOT NULL,
    person   INTEGER  NOT NULL,
    batch    INTEGER  NOT NULL,
    fields   SMALLINT NOT NULL, -- what was read or presented, as the bits of a field set
    locale   SMALLINT NOT NULL, -- letter_locale
    state    SMALLINT NOT NULL, -- LedgerState::code; a planned or deferred row of a held batch is claimed
    provider SMALLINT NOT NULL, -- mail_provider; 0 while nobody looked
    outcome  TEXT     NOT NULL, -- the relay's queue id, or what it said
    PRIMARY KEY (letter, person)
) WITH (fillfactor = 70); -- room for outcomes on the same page, while old versions are pruned
INSERT INTO ledger (at_ms, tried_ms, letter, person, batch, fields, locale, state, provider, outcome)
    SELECT at_ms, CASE WHEN state IN ('planned', 'accepted', 'suppressed') THEN 0 ELSE 1 END,
           letter, person, 1, fields, 0,
           CASE state WHEN 'planned' THEN 0 WHEN 'accepted' THEN 2 WHEN 'bounced' THEN 5
                      WHEN 'suppressed' THEN 7 ELSE 3 END,
           0, COALESCE(outcome, '')
    FROM ledger_before_batches;
DROP TABLE ledger_before_batches;

-- What is still to be sent, about a thousand people a row. Its rows are those between first and
-- last that carry its number and are planned or deferred.
CREATE TABLE ledger_batch (
    letter   INTEGER NOT NULL,
    batch    INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    provider SMALLINT NOT NULL, -- whose mailboxes; 0 while nobody looked
    attempts SMALLINT NOT NULL, -- how often they were put off
    due_ms   BIGINT  NOT NULL,
    holder   TEXT    NOT NULL, -- the worker that has it; '' when nobody has
    until_ms BIGINT  NOT NULL, -- until when
    PRIMARY KEY (letter, batch)
);
CREATE INDEX ledger_batch_due ON ledger_batch (letter, holder, due_ms, batch);
INSERT INTO ledger_batch (letter, batch, first, last, provider, attempts, due_ms, holder, until_ms)
    SELECT letter, 1, MIN(person), MAX(person), 0, 0, 0, '', 0 FROM ledger WHERE state = 0
    GROUP BY letter;

-- How many rows are in each state, kept with every change.
CREATE TABLE ledger_count (
    letter INTEGER NOT NULL,
    state  SMALLINT NOT NULL,
    people BIGINT  NOT NULL,
    PRIMARY KEY (letter, state)
);
INSERT INTO ledger_count (letter, state, people)
    SELECT letter, state, COUNT(*) FROM ledger GROUP BY letter, state;

-- Languages and jurisdictions of a letter's people.
CREATE TABLE letter_locale (
    letter       INTEGER NOT NULL,
    locale       SMALLINT NOT NULL,
    language     TEXT NOT NULL,
    jurisdiction TEXT NOT NULL, -- '' where it makes no difference
    PRIMARY KEY (letter, locale)
);
INSERT INTO letter_locale (letter, locale, language, jurisdiction)
    SELECT letter, 0, 'en', '' FROM letter;

-- Receivers' mail providers by number, from 1.
CREATE TABLE mail_provider (
    provider SMALLINT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE
);

-- What was approved: texts and data of a letter, under their SHA-256. Never changed.
CREATE TABLE letter_version (
    letter  INTEGER NOT NULL,
    version TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    made_ms BIGINT  NOT NULL,
    made_by TEXT    NOT NULL,
    PRIMARY KEY (letter, version)
);
ALTER TABLE letter ADD COLUMN version TEXT; -- the approved one
ALTER TABLE letter ADD COLUMN state TEXT NOT NULL DEFAULT 'planned';
ALTER TABLE letter ADD COLUMN trouble TEXT NOT NULL DEFAULT '';
-- Batches that are made while a letter is sent have numbers of their own.
ALTER TABLE letter ADD COLUMN next_batch BIGINT NOT NULL DEFAULT 10000000;

-- Makes the codes of letters and the addresses that bounces go to: the same on every machine.
CREATE TABLE letter_key (
    id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    key BYTEA  NOT NULL
);
