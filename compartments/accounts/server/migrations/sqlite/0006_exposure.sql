-- What response needs to know whose data a fallen host could reach. Times are milliseconds since
-- 1970.

-- Customers that were written, changed or erased, one row a transaction: ascending record numbers,
-- each as the difference from the one before.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    records BLOB NOT NULL
);

-- Letters with a reset code, which the relay sees.
CREATE TABLE mailed (
    record INTEGER NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX mailed_at ON mailed (at);

-- A session that ended is kept: a fallen host may have seen it.
ALTER TABLE sessions ADD COLUMN ended INTEGER;
CREATE INDEX sessions_caller ON sessions (caller, opened);
