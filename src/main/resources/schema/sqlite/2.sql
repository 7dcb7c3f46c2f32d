-- Version 2. Where other nodes reach a node, as host:port, and the names of the keys that it has for
-- session tokens, with commas: told once it is known, so null for a moment.
ALTER TABLE node ADD COLUMN address TEXT;
ALTER TABLE node ADD COLUMN token_keys TEXT;
