-- The highest signed checkpoint of each release log that was seen, and the key that signed the first.
CREATE TABLE seen_checkpoint (
    log     TEXT   PRIMARY KEY,
    log_key TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    note    TEXT   NOT NULL,
    seen_ms BIGINT NOT NULL
);
