-- Sealed texts: each column holds nonce, ciphertext and tag, or nothing. Nothing here tells a
-- decoy from a customer, and nothing may.
CREATE TABLE customers (
    record BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    country TEXT,
    region TEXT,
    language TEXT NOT NULL,
    minor BIGINT NOT NULL,
    name BYTEA NOT NULL,
    email BYTEA NOT NULL,
    phone BYTEA,
    billing_address BYTEA,
    shipping_address BYTEA,
    card_last4 BYTEA
);

-- The look-up index of each e-mail address. A table of its own, so that it can be distributed by
-- the index while all others go by record.
CREATE TABLE addresses (
    email_index BYTEA NOT NULL PRIMARY KEY,
    record BIGINT NOT NULL
);

-- The first record number that was never reserved.
CREATE TABLE numbering (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    next_unreserved BIGINT NOT NULL
);
INSERT INTO numbering (id, next_unreserved) VALUES (1, 0);
