-- The void orders. `keys` refuses void passwords and the tickets of ended sessions itself.
CREATE TABLE void_order (
    id         TEXT   PRIMARY KEY, -- SHA-256 over incident, instant and set
    set_before BIGINT NOT NULL,    -- passwords set up to this instant are void, in milliseconds
    opened_before BIGINT NOT NULL, -- sessions up to this instant are over, in milliseconds
    known_at   BIGINT NOT NULL,    -- the instant at which `keys` learnt of it, in milliseconds
    everybody  BIGINT NOT NULL,    -- 1 for all customers
    records    BLOB,               -- these customers, as a Roaring bitmap, once they are named
    raised     BIGINT NOT NULL,    -- how many passwords may be set outside the budget because of it
    used       BIGINT NOT NULL     -- how many were
);

-- The instant from which `keys` sets the time of every password. One from before counts as set no later.
CREATE TABLE passwords_bound (
    since BIGINT NOT NULL PRIMARY KEY
);
