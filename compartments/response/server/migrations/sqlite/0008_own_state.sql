-- The identity of this state, and a beat that is written each second: a copy that was made earlier
-- has an earlier one.
CREATE TABLE own_state (
    id      BIGINT PRIMARY KEY,
    state   BIGINT NOT NULL,
    beat_ms BIGINT NOT NULL
);
