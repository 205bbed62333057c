-- verifier = HMAC(pepper, record, hash), made by keys; times are milliseconds since 1970.
CREATE TABLE credentials (
    record INTEGER PRIMARY KEY,
    scheme TEXT NOT NULL,
    salt BLOB NOT NULL,
    verifier BLOB NOT NULL,
    set_at INTEGER NOT NULL
);
-- Counts what a void order covers.
CREATE INDEX credentials_set_at ON credentials (set_at);

-- The token itself is not kept, only its SHA-256.
CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL,
    caller TEXT NOT NULL,
    opened INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_record ON sessions (record);

-- Reset codes that wait to be typed: SHA-256 of each. A code is deleted when it is used.
CREATE TABLE resets (
    code_hash BLOB NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX resets_record ON resets (record);
