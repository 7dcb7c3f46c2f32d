-- Version 3. What readers of the feed rely on: which journal this is (it goes with its rows wherever
-- they are moved), and the highest position that retention has deleted.
ALTER TABLE feed
  ADD COLUMN identity text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', '');

-- Beside the base, which every batch reads: this one is written by each deletion.
CREATE TABLE forgotten (
  one      integer NOT NULL PRIMARY KEY CHECK (one = 1),
  position bigint  NOT NULL
);

INSERT INTO forgotten (one, position) VALUES (1, 0);

-- One row per named consumer of the feed: up to where it has read. Retention deletes nothing above
-- the lowest position, but for consumers that have lapsed.
CREATE TABLE consumer (
  name     text    NOT NULL PRIMARY KEY,
  position bigint  NOT NULL,
  read_at  bigint  NOT NULL,
  lapsed   boolean NOT NULL
) WITH (fillfactor = 50);

-- Up to which position all consumers have read.
CREATE FUNCTION passed() RETURNS bigint LANGUAGE sql STABLE
  RETURN (SELECT coalesce(min(position), 9223372036854775807) FROM consumer WHERE NOT lapsed);

-- As before, but for owners of whom a consumer has yet to read something: they wait for it.
CREATE OR REPLACE FUNCTION purge(node_id text, owners uuid[], numbers bigint[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  gone uuid[];
  highest bigint;
BEGIN
  UPDATE node SET writer = writer + 1 WHERE id = node_id AND fenced_at IS NULL;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT coalesce(array_agg(o.owner), '{}'), max(newest.position) INTO gone, highest
  FROM unnest(owners, numbers) AS o (owner, number)
  LEFT JOIN LATERAL (
    SELECT seq, position FROM event WHERE event.owner = o.owner ORDER BY seq DESC LIMIT 1
  ) AS newest ON true
  WHERE o.number = coalesce(newest.seq, o.number) AND coalesce(newest.position, 0) <= passed();
  DELETE FROM event WHERE owner = ANY (gone);
  DELETE FROM snapshot WHERE owner = ANY (gone);
  DELETE FROM agenda WHERE owner = ANY (gone);
  UPDATE forgotten SET position = highest WHERE position < highest;
  RETURN gone;
END
$$;
