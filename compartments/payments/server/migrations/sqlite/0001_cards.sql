CREATE TABLE card (
    record     BIGINT PRIMARY KEY,
    token_hash BLOB   NOT NULL UNIQUE, -- SHA-256 of the token: the table gives no token away
    brand      TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    number     BLOB   NOT NULL, -- sealed
    expiry     BLOB   NOT NULL, -- sealed
    last4      BLOB   NOT NULL  -- sealed
);

CREATE TABLE frozen_caller (
    caller TEXT PRIMARY KEY
);
