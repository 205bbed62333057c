-- Keys of certificates that nobody may use any more, by the SHA-256 of the public key in hexadecimal.
-- `keys` has the list; here it is known while `keys` does not answer, too.
CREATE TABLE revoked_key (
    key_sha256 TEXT NOT NULL PRIMARY KEY
);
