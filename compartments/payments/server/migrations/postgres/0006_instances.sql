-- Grows with every order, so that all instances on one database know that there is a newer one.
CREATE TABLE generation (
    id    BIGINT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO generation (id, value) VALUES (0, 0);

-- The instances that serve, and the generation of orders that each holds. On SQLite it stays empty.
CREATE TABLE instance (
    id      BIGINT NOT NULL PRIMARY KEY,
    held    BIGINT NOT NULL,
    reports BIGINT NOT NULL
);

-- The first record number that was never reserved.
CREATE TABLE numbering (
    id              BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    next_unreserved BIGINT NOT NULL
);
INSERT INTO numbering (id, next_unreserved) SELECT 1, COALESCE(MAX(record) + 1, 0) FROM cards;
