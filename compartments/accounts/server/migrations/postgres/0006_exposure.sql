-- What response needs to know whose data a fallen host could reach. Times are milliseconds since
-- 1970.

-- Customers that were written, changed or erased, one row a transaction: ascending record numbers,
-- each as the difference from the one before.
CREATE TABLE changes (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    records BYTEA NOT NULL
);

-- Letters with a reset code, which the relay sees.
CREATE TABLE mailed (
    record BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX mailed_at ON mailed (at);

-- A session that ended is kept: a fallen host may have seen it.
ALTER TABLE sessions ADD COLUMN ended BIGINT;
CREATE INDEX sessions_caller ON sessions (caller, opened);
