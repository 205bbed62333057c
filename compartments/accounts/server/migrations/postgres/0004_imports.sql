-- How far each file came. Which line became which record is deliberately not kept: decoys have
-- no line, so the list would name them. A repeated line is known by its address instead.
CREATE TABLE imports (
    source TEXT NOT NULL PRIMARY KEY,
    done_to_line BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE import_rejects (
    source TEXT NOT NULL,
    line BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, line)
);
