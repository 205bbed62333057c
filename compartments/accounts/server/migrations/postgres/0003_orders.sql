-- One row voids every credential set at or before an instant.
CREATE TABLE void_orders (
    id BIGINT NOT NULL PRIMARY KEY,
    incident BIGINT NOT NULL,
    set_before BIGINT NOT NULL,
    ordered_at BIGINT NOT NULL
);

-- One row ends every session opened at or before an instant.
CREATE TABLE revoke_orders (
    id BIGINT NOT NULL PRIMARY KEY,
    incident BIGINT NOT NULL,
    opened_before BIGINT NOT NULL,
    ordered_at BIGINT NOT NULL
);

CREATE TABLE frozen_callers (
    caller TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL
);
