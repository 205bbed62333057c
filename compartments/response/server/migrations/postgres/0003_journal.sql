-- A chain of entries an incident: each names the SHA-256 of the line before. Entries from before
-- the chain are kept as they are.
ALTER TABLE journal RENAME TO journal_before_chain;
CREATE TABLE journal (
    incident BIGINT NOT NULL,
    number   BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL,
    who      TEXT   NOT NULL,
    origin   TEXT   NOT NULL, -- the address that the request came from
    action   TEXT   NOT NULL,
    detail   TEXT   NOT NULL,
    previous TEXT   NOT NULL,
    PRIMARY KEY (incident, number)
);
