-- One row voids every credential set at or before an instant.
CREATE TABLE void_orders (
    id INTEGER NOT NULL PRIMARY KEY,
    incident INTEGER NOT NULL,
    set_before INTEGER NOT NULL,
    ordered_at INTEGER NOT NULL
);

-- One row ends every session opened at or before an instant.
CREATE TABLE revoke_orders (
    id INTEGER NOT NULL PRIMARY KEY,
    incident INTEGER NOT NULL,
    opened_before INTEGER NOT NULL,
    ordered_at INTEGER NOT NULL
);

CREATE TABLE frozen_callers (
    caller TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
);
