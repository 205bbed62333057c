-- The freezes of which nobody has seen that keys holds them. Until then, nobody thaws the caller.
CREATE TABLE unheld_freeze (
    caller   TEXT   NOT NULL,
    incident BIGINT NOT NULL,
    PRIMARY KEY (caller, incident)
);
