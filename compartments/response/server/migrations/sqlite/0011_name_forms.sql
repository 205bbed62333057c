-- The forms of the names in the brought table: a name of a log that the table does not have is another
-- person's only if it has the form of all of the table's names. Of people who are there already, the
-- forms are unknown.
CREATE TABLE brought_name_form (
    form TEXT NOT NULL PRIMARY KEY
);

INSERT INTO brought_name_form (form)
SELECT 'unknown' WHERE EXISTS (SELECT 1 FROM brought_person);
