-- Version 5. The secret by which owner keys follow from user ids, sealed; see JournalStore.ownerSecret.
-- Null in a journal from before, whose owner keys follow from the user ids alone: they stay.
ALTER TABLE feed ADD COLUMN owner_secret TEXT;
UPDATE feed SET owner_secret = ''
WHERE NOT EXISTS (SELECT 1 FROM node) AND NOT EXISTS (SELECT 1 FROM event);
