-- Sealed texts: each column holds nonce, ciphertext and tag, or nothing. Nothing here tells a
-- decoy from a customer, and nothing may.
CREATE TABLE customers (
    record INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    country TEXT,
    region TEXT,
    language TEXT NOT NULL,
    minor INTEGER NOT NULL,
    name BLOB NOT NULL,
    email BLOB NOT NULL,
    phone BLOB,
    billing_address BLOB,
    shipping_address BLOB,
    card_last4 BLOB
);

-- The look-up index of each e-mail address. A table of its own, so that it can be distributed by
-- the index while all others go by record.
CREATE TABLE addresses (
    email_index BLOB NOT NULL PRIMARY KEY,
    record INTEGER NOT NULL
) WITHOUT ROWID;

-- The first record number that was never reserved.
CREATE TABLE numbering (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    next_unreserved INTEGER NOT NULL
);
INSERT INTO numbering (id, next_unreserved) VALUES (1, 0);
