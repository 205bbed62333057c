-- The newest state of each domain's compartment, and its last beat.
CREATE TABLE compartment_state (
    domain  TEXT   PRIMARY KEY,
    state   BIGINT NOT NULL,
    beat_ms BIGINT NOT NULL
);

-- The number behind the last record number that each domain gave out.
CREATE TABLE numbers_given (
    domain TEXT   PRIMARY KEY,
    upto   BIGINT NOT NULL
);
INSERT INTO numbers_given (domain, upto) SELECT domain, upto FROM decoy_claim;
