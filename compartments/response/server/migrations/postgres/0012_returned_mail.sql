-- Mail that came to the return address of a person's letter and that nothing understood. The
-- messages are kept until a person decides.
CREATE TABLE returned_mail (
    letter   BIGINT NOT NULL,
    person   BIGINT NOT NULL,
    messages BIGINT NOT NULL, -- those that came, kept or not
    last_ms  BIGINT NOT NULL,
    decision TEXT   NOT NULL, -- '' until somebody has decided
    PRIMARY KEY (letter, person)
);

CREATE TABLE returned_text (
    letter BIGINT NOT NULL,
    person BIGINT NOT NULL,
    number BIGINT NOT NULL, -- from 0
    at_ms  BIGINT NOT NULL,
    bytes  BIGINT NOT NULL, -- the size of the whole message
    sealed BYTEA  NOT NULL, -- its first 64 KiB
    PRIMARY KEY (letter, person, number)
);
