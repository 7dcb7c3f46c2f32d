-- Version 2. Where other nodes reach a node, as host:port, and the names of the keys that it has for
-- session tokens, with commas: told once it is known, so null for a moment.
ALTER TABLE node ADD COLUMN address text, ADD COLUMN token_keys text;

-- Whether a node that leaves was fenced; see NodeRegistry.release. The incarnation's row is locked
-- first, as in a claim: of two nodes that leave at once the second sees that the first has gone.
CREATE FUNCTION release_node(node_id text, current bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM incarnation WHERE number = current AND NOT released FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE node SET fenced_at = now_millis(), fenced_by = id
  WHERE id = node_id AND fenced_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE incarnation SET holder = node_id, released = true
  WHERE NOT EXISTS (SELECT FROM node WHERE incarnation = current AND fenced_at IS NULL);
  RETURN true;
END
$$;
