-- The longest anchored state of each journal of response: the number of its entries, and the hash of
-- the last one in hexadecimal. The length never shrinks.
CREATE TABLE journal_anchor (
    journal BIGINT PRIMARY KEY,
    length  BIGINT NOT NULL,
    head    TEXT   NOT NULL
);
