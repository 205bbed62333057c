-- Sealed texts: number, expiry and masked hold nonce, ciphertext and tag. The token itself is not
-- kept, only its SHA-256: who has the table has no token.
CREATE TABLE cards (
    record BIGINT PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    brand TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    number BYTEA NOT NULL,
    expiry BYTEA NOT NULL,
    masked BYTEA NOT NULL
);
