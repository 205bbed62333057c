-- Mail providers whose mailboxes a letter is not sent to, until staff say so.
CREATE TABLE provider_pause (
    letter   INTEGER  NOT NULL,
    provider SMALLINT NOT NULL,
    why      TEXT     NOT NULL,
    at_ms    BIGINT   NOT NULL,
    PRIMARY KEY (letter, provider)
);

-- The SHA-256 of the staff roster that a letter was planned for: its rows are lines of that file.
ALTER TABLE letter ADD COLUMN roster TEXT;
