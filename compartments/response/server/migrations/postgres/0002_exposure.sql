-- Whose data it is, in bitmaps that follow accounts: 'everyone', 'filled/phone',
-- 'jurisdiction/US-KY', 'language/en', 'minors'.
CREATE TABLE population (
    name    TEXT NOT NULL PRIMARY KEY,
    records BYTEA   NOT NULL
);
-- The last change that the bitmaps know.
CREATE TABLE population_end (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);

-- What happened to whom, by the hour: one row for 65,536 records and a segment of a log.
CREATE TABLE exposure_page (
    incident BIGINT NOT NULL,
    page     BIGINT NOT NULL,
    segment  BIGINT NOT NULL,
    body     BYTEA     NOT NULL,
    PRIMARY KEY (incident, page, segment)
);
