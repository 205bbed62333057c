-- The instances that serve, and the generation of orders that each holds. On SQLite it stays empty.
CREATE TABLE instance (
    id      BIGINT NOT NULL PRIMARY KEY,
    held    BIGINT NOT NULL,
    reports BIGINT NOT NULL
);

-- The lowerings of budgets below the policy's. The lowest one that has not ended is in force.
CREATE TABLE budget_lowering (
    caller    TEXT   NOT NULL,
    operation TEXT   NOT NULL,
    id        BIGINT NOT NULL, -- random; 0 for one from before this table
    budget    TEXT   NOT NULL, -- as JSON; may be empty once it has ended
    ended     BIGINT NOT NULL, -- 1 once it has ended, for ever
    PRIMARY KEY (caller, operation, id)
);
INSERT INTO budget_lowering (caller, operation, id, budget, ended)
SELECT caller, operation, 0, budget, 0 FROM lowered_budget;
DROP TABLE lowered_budget;
