CREATE TABLE card (
    record     BIGINT PRIMARY KEY,
    token_hash BYTEA  NOT NULL UNIQUE, -- SHA-256 of the token: the table gives no token away
    brand      TEXT   NOT NULL,
    epoch      BIGINT NOT NULL,
    number     BYTEA  NOT NULL, -- sealed
    expiry     BYTEA  NOT NULL, -- sealed
    last4      BYTEA  NOT NULL  -- sealed
);

CREATE TABLE frozen_caller (
    caller TEXT PRIMARY KEY
);
