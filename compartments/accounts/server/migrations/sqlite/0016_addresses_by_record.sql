-- Finds the addresses of a customer who moves to another half, or who is erased. It has a transaction of
-- its own, so that sign-ins go on while it is built.
CREATE INDEX addresses_record ON addresses (record);
