CREATE TABLE alarm (
    seq      BIGINT PRIMARY KEY,
    kind     TEXT   NOT NULL,
    caller   TEXT   NOT NULL, -- '' where no caller set it off
    first_ms BIGINT NOT NULL,
    last_ms  BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    detail   TEXT   NOT NULL
);

CREATE TABLE frozen_caller (
    caller TEXT PRIMARY KEY
);

CREATE TABLE warrant (
    id     TEXT   PRIMARY KEY,
    signed TEXT   NOT NULL, -- the signed warrant as JSON
    closed BIGINT NOT NULL
);

-- Up to which record number decoys were asked for, per domain.
CREATE TABLE decoy_claim (
    domain TEXT   PRIMARY KEY,
    upto   BIGINT NOT NULL
);

-- Decoys that were named and whose first password is still to come: that one is no alarm.
CREATE TABLE decoy_unfilled (
    record BIGINT PRIMARY KEY
);
