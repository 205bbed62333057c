-- The group of callers at which a session is good, and its ticket by `keys`. A session from before is good at
-- the caller that opened it, and has no ticket.
ALTER TABLE sessions ADD COLUMN caller_group TEXT;
ALTER TABLE sessions ADD COLUMN ticket BYTEA;

-- The other callers of the group at which a session was seen, and when first.
CREATE TABLE session_places (
    token_hash BYTEA NOT NULL,
    caller TEXT NOT NULL,
    first BIGINT NOT NULL,
    PRIMARY KEY (token_hash, caller)
);

-- 1 once `keys` knows the customers of an order over some.
ALTER TABLE void_orders ADD COLUMN noted BIGINT NOT NULL DEFAULT 0;
