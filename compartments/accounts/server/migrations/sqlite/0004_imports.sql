-- How far each file came. Which line became which record is deliberately not kept: decoys have
-- no line, so the list would name them. A repeated line is known by its address instead.
CREATE TABLE imports (
    source TEXT NOT NULL PRIMARY KEY,
    done_to_line INTEGER NOT NULL,
    created INTEGER NOT NULL
);

CREATE TABLE import_rejects (
    source TEXT NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, line)
) WITHOUT ROWID;
