-- The passkeys that customers added, found by the name that each has. `keys` certified the public key with
-- `mac`, for the customer and the time. `algorithm` is the number in the IANA registry of COSE algorithms.
CREATE TABLE passkeys (
    credential_id BYTEA NOT NULL PRIMARY KEY,
    record BIGINT NOT NULL,
    public_key BYTEA NOT NULL,
    algorithm BIGINT NOT NULL,
    relying_party TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX passkeys_record ON passkeys (record);
