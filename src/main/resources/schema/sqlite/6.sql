-- Version 6. When a consumer's position changed last: whoever is behind and reads on does not lapse.
ALTER TABLE consumer ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;
UPDATE consumer SET moved_at = read_at;
