-- The holds of incidents on callers. A caller is frozen while one of them has not ended.
CREATE TABLE caller_hold (
    caller   TEXT   NOT NULL,
    id       BIGINT NOT NULL, -- random; 0 for all freezes from before this table
    incident BIGINT NOT NULL, -- 0 for the hold 0
    ended    BIGINT NOT NULL, -- 1 once the hold has ended, for ever
    PRIMARY KEY (caller, id)
);
INSERT INTO caller_hold (caller, id, incident, ended) SELECT caller, 0, 0, 0 FROM frozen_caller;
DROP TABLE frozen_caller;
