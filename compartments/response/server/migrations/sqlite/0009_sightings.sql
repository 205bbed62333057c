-- The sizes that each release log was seen to have, by the clock of response: every entry was
-- written between two sightings. Any row may be deleted; intervals then only get wider.
CREATE TABLE sighting (
    log      TEXT   NOT NULL,
    size     BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    PRIMARY KEY (log, size)
);
