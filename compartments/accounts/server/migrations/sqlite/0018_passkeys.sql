-- The passkeys that customers added, found by the name that each has. `keys` certified the public key with
-- `mac`, for the customer and the time. `algorithm` is the number in the IANA registry of COSE algorithms.
CREATE TABLE passkeys (
    credential_id BLOB NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    algorithm INTEGER NOT NULL,
    relying_party TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    mac BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX passkeys_record ON passkeys (record);
