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
