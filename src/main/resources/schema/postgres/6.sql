-- Version 6. When a consumer's position changed last: whoever is behind and reads on does not lapse.
ALTER TABLE consumer ADD COLUMN moved_at bigint NOT NULL DEFAULT 0;
UPDATE consumer SET moved_at = read_at;

-- As before, and owners of whom a consumer has yet to read something have their deadline at `later`:
-- else every sweep of the agenda would come to them first. The function without it stays, for nodes
-- of the version before.
CREATE FUNCTION purge(node_id text, owners uuid[], numbers bigint[], later bigint)
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  gone uuid[];
BEGIN
  gone := purge(node_id, owners, numbers);
  PERFORM FROM agenda WHERE owner = ANY (owners) AND NOT owner = ANY (gone)
  ORDER BY owner FOR UPDATE;
  WITH waiting AS (
    UPDATE event SET due = later
    FROM unnest(owners, numbers) AS o (owner, number)
    WHERE event.owner = o.owner AND event.seq = o.number AND event.due < later
      AND NOT o.owner = ANY (gone)
      AND NOT EXISTS (SELECT FROM event AS next WHERE next.owner = o.owner AND next.seq > o.number)
    RETURNING event.owner
  )
  UPDATE agenda SET wake = later FROM waiting WHERE agenda.owner = waiting.owner;
  RETURN gone;
END
$$;

-- As before, but what is much is deleted before the row of the node is locked, for which its batches
-- wait. They look at the newest event only, which stays; but a snapshot from before it may be with
-- one that is on its way. The deadline is that of the newest event that the caller knows.
CREATE FUNCTION erase(
  node_id text, erased uuid, number bigint, newest bigint, deadline bigint)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM node WHERE id = node_id AND fenced_at IS NULL) THEN
    RETURN -1;
  END IF;
  IF NOT EXISTS (SELECT FROM event WHERE owner = erased AND seq = number) THEN
    RETURN 0;
  END IF;
  DELETE FROM event WHERE owner = erased AND seq < number;
  UPDATE node SET writer = writer + 1 WHERE id = node_id AND fenced_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'node % was fenced meanwhile', node_id; -- and nothing is deleted
  END IF;
  UPDATE event SET due = nullif(deadline, 9223372036854775807)
  WHERE owner = erased AND seq = newest;
  IF deadline < 9223372036854775807 THEN
    INSERT INTO agenda AS a (owner, wake) VALUES (erased, deadline)
    ON CONFLICT (owner) DO UPDATE SET wake = least(a.wake, excluded.wake);
  END IF;
  DELETE FROM snapshot WHERE owner = erased AND seq < number;
  RETURN 1;
END
$$;

-- For nodes of the version before.
CREATE OR REPLACE FUNCTION erase(node_id text, erased uuid, number bigint, deadline bigint)
RETURNS integer LANGUAGE sql VOLATILE AS $$
  SELECT erase(node_id, erased, number, number, deadline)
$$;
