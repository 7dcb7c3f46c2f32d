-- Version 5. The secret by which owner keys follow from user ids, sealed; see JournalStore.ownerSecret.
-- Null in a journal from before, whose owner keys follow from the user ids alone: they stay. Not in
-- the row of the feed, which every batch reads.
CREATE TABLE owner_secret (
  one    integer NOT NULL PRIMARY KEY CHECK (one = 1),
  sealed text
);

INSERT INTO owner_secret (one, sealed)
SELECT 1, CASE
  WHEN EXISTS (SELECT FROM node) OR EXISTS (SELECT FROM event) THEN NULL
  ELSE ''
END;
