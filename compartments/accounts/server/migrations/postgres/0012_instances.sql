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
