-- Sealed texts: number, expiry and masked hold nonce, ciphertext and tag. The token itself is not
-- kept, only its SHA-256: who has the table has no token.
CREATE TABLE cards (
    record INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    brand TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    number BLOB NOT NULL,
    expiry BLOB NOT NULL,
    masked BLOB NOT NULL
);
