-- The secrets of the compartment's halves of keys, which are in custody elsewhere: the first epoch of
-- each, the secret as a hardware module sealed it (NULL without a module), a value by which it is known
-- again, and how far data has moved to it.
CREATE TABLE half (
    from_epoch  BIGINT NOT NULL PRIMARY KEY,
    sealed      BLOB,
    check_value BLOB   NOT NULL,
    stage       BIGINT NOT NULL
);

-- The half under which a verifier or an index rests, by its first epoch; NULL for one that is stored as
-- keys made it.
ALTER TABLE credentials ADD COLUMN half BIGINT;
ALTER TABLE addresses ADD COLUMN half BIGINT;
