-- verifier = HMAC(pepper, record, hash), made by keys; times are milliseconds since 1970.
CREATE TABLE credentials (
    record BIGINT PRIMARY KEY,
    scheme TEXT NOT NULL,
    salt BYTEA NOT NULL,
    verifier BYTEA NOT NULL,
    set_at BIGINT NOT NULL
);
-- Counts what a void order covers.
CREATE INDEX credentials_set_at ON credentials (set_at);

-- The token itself is not kept, only its SHA-256.
CREATE TABLE sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    record BIGINT NOT NULL,
    caller TEXT NOT NULL,
    opened BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_record ON sessions (record);

-- Reset codes that wait to be typed: SHA-256 of each. A code is deleted when it is used.
CREATE TABLE resets (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    record BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX resets_record ON resets (record);
