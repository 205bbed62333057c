-- One word for one thing: the brought table, the staff list, alarms.
ALTER TABLE roster_person RENAME TO brought_person;
ALTER TABLE roster_population RENAME TO brought_population;
ALTER TABLE feed RENAME TO alarm;
ALTER TABLE letter RENAME COLUMN roster TO staff_list;
UPDATE incident SET people = 'table' WHERE people = 'roster';

-- When an incident was closed.
ALTER TABLE incident ADD COLUMN closed_ms BIGINT;

-- 'intended', 'done' or 'failed' for an act that reaches another compartment.
ALTER TABLE journal ADD COLUMN stage TEXT;

-- The worker that fell silent, where that alone puts the row in doubt; '' otherwise. The sentence of
-- such a doubt named the worker until now.
ALTER TABLE ledger ADD COLUMN silent_holder TEXT NOT NULL DEFAULT '';
UPDATE ledger SET silent_holder = SUBSTR(outcome, 12, 16)
    WHERE state = 3 AND outcome LIKE 'its worker ________________ is heard of no more';
