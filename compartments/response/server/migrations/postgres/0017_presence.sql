-- The people of an exposure of whom everything that was read was read while they were signed in. An
-- exposure from before has no row: it is known of nobody.
CREATE TABLE exposure_signed_in (
    incident BIGINT NOT NULL PRIMARY KEY,
    records  BYTEA  NOT NULL
);
-- 1 for a person of whom the letter may say so.
ALTER TABLE ledger ADD COLUMN while_signed_in SMALLINT NOT NULL DEFAULT 0;
