-- Rows that the relay's log settled: their at_ms is when that was learned, and not when the letter was
-- handed over.
CREATE TABLE ledger_settled (
    letter INTEGER NOT NULL,
    person INTEGER NOT NULL,
    PRIMARY KEY (letter, person)
);
