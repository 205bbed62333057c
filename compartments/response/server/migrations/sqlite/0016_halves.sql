-- The secrets of the compartment's halves of keys, which are in custody elsewhere: the first epoch of
-- each, the secret as a hardware module sealed it (NULL without a module), and a value by which it is
-- known again.
CREATE TABLE half (
    from_epoch  BIGINT NOT NULL PRIMARY KEY,
    sealed      BLOB,
    check_value BLOB   NOT NULL
);
