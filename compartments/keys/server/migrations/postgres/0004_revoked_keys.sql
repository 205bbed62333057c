-- Keys of certificates that nobody may use any more, by the SHA-256 of the public key in hexadecimal.
CREATE TABLE revoked_key (
    key_sha256 TEXT NOT NULL PRIMARY KEY,
    caller     TEXT NOT NULL
);
