-- The key that makes customer numbers of record numbers. A database that gave out numbers before this
-- table has a row without a key: its shop knows the record numbers, and they stay good. A new database
-- gets its row, with a key, at the first start.
CREATE TABLE customer_numbers (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number_key BLOB
);
INSERT INTO customer_numbers (id) SELECT 1 FROM numbering WHERE next_unreserved > 0;
