-- Times are milliseconds since 1970.
CREATE TABLE frozen_callers (
    caller TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL
);
