-- Version 1. PostgresSchema runs it in one transaction, in the journal's own schema, and then sets
-- the version. A version that was released is never edited: the next change is 2.sql.

-- One row per event. `position` is the one order of all events; it is made of the number of the
-- transaction that wrote the row and the row's place in it, so it needs no sequence, and a reader
-- knows up to where no transaction is still on its way (pg_snapshot_xmin).
--
-- Eight partitions, each an eighth of the owners: vacuum works on one at a time, and their indexes
-- stay small. They follow the order of owners, so a range of owners touches few of them.
CREATE TABLE event (
  owner    uuid   NOT NULL,
  seq      bigint NOT NULL,
  position bigint NOT NULL,
  at       bigint NOT NULL,
  due      bigint,
  name     text   NOT NULL,
  payload  bytea  NOT NULL,
  -- The second line: no two events of one owner have the same number.
  PRIMARY KEY (owner, seq)
) PARTITION BY RANGE (owner);

DO $$
DECLARE
  digits CONSTANT text[] := ARRAY['0', '2', '4', '6', '8', 'a', 'c', 'e'];
  zeros CONSTANT text := '0000000-0000-0000-0000-000000000000';
BEGIN
  FOR i IN 1..8 LOOP
    -- Rows are only added and, in the order of their age, deleted: the dead ones are few but old.
    EXECUTE format(
      'CREATE TABLE event_%s PARTITION OF event FOR VALUES FROM (%s) TO (%s) WITH ('
        || 'autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1, '
        || 'autovacuum_analyze_scale_factor = 0.05)',
      digits[i],
      CASE i WHEN 1 THEN 'MINVALUE' ELSE quote_literal(digits[i] || zeros) END,
      CASE i WHEN 8 THEN 'MAXVALUE' ELSE quote_literal(digits[i + 1] || zeros) END);
  END LOOP;
END
$$;

CREATE INDEX event_position ON event (position);

-- What is added to the number of a transaction before it becomes a position: above 0 after the
-- journal was restored into a server that has counted fewer transactions than the one before.
CREATE TABLE feed (
  one  integer NOT NULL PRIMARY KEY CHECK (one = 1),
  base bigint  NOT NULL
);

INSERT INTO feed (one, base) VALUES (1, 0);

-- One row per owner, replaced in place: room for a new version beside the old one, so that the
-- index need not be touched.
CREATE TABLE snapshot (
  owner   uuid   NOT NULL PRIMARY KEY,
  seq     bigint NOT NULL,
  at      bigint NOT NULL,
  name    text   NOT NULL,
  payload bytea  NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- When to look at an owner's deadline: never later than the deadline (`due`) of its newest event,
-- often earlier. A batch writes here only where an owner's deadline comes nearer or is the first;
-- deadlines mostly move on, and the sweep that finds such a row early moves it (postpone).
CREATE TABLE agenda (
  owner uuid   NOT NULL PRIMARY KEY,
  wake  bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX agenda_wake ON agenda (wake, owner);

-- One row per node process. It writes while fenced_at is null, in statements that carry `writer`:
-- the node raises it to make sure that none of its earlier statements can still take effect.
CREATE TABLE node (
  id            text   NOT NULL PRIMARY KEY,
  incarnation   bigint NOT NULL,
  writer        bigint NOT NULL DEFAULT 0,
  registered_at bigint NOT NULL,
  fenced_at     bigint,
  fenced_by     text
);

-- One row: the cluster that this journal belongs to.
CREATE TABLE incarnation (
  one        integer NOT NULL PRIMARY KEY CHECK (one = 1),
  number     bigint  NOT NULL,
  holder     text,
  renewed_at bigint  NOT NULL,
  released   boolean NOT NULL
);

INSERT INTO incarnation (one, number, renewed_at, released) VALUES (1, 0, 0, true);

-- Written and emptied to find out whether the store takes writes. Stored as it comes: nothing of
-- it may vanish in compression.
CREATE TABLE probe (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  filler bytea NOT NULL
);

ALTER TABLE probe ALTER COLUMN filler SET STORAGE EXTERNAL;

-- The store's clock, in milliseconds since the epoch.
CREATE FUNCTION now_millis() RETURNS bigint LANGUAGE sql VOLATILE
  RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- The functions below are one statement for the client, which therefore never sits between two of
-- them with a lock in its hand. Each statement inside sees what was committed before it began, and
-- so whatever the lock that was waited for had held back.

-- Whether the next incarnation was claimed for a node; see NodeRegistry.claim.
CREATE FUNCTION claim_incarnation(node_id text, expected bigint, silence bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM node WHERE id = node_id) THEN
    RETURN false;
  END IF;
  UPDATE incarnation
  SET number = number + 1, holder = node_id, released = false, renewed_at = now_millis()
  WHERE number = expected AND (released OR renewed_at <= now_millis() - silence);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM FROM node WHERE fenced_at IS NULL ORDER BY id FOR UPDATE;
  UPDATE node SET fenced_at = now_millis(), fenced_by = node_id WHERE fenced_at IS NULL;
  INSERT INTO node (id, incarnation, registered_at) VALUES (node_id, expected + 1, now_millis());
  RETURN true;
END
$$;

-- 1: fenced now; 0: it was before; -1: the one who wanted to fence is fenced; see
-- NodeRegistry.fence. The two rows are locked in the order of their ids, so that two nodes that
-- fence each other meet one behind the other; the own one only shared, so that this waits for no
-- batch but the other's.
CREATE FUNCTION fence_node(by_id text, other_id text)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  IF by_id < other_id THEN
    PERFORM FROM node WHERE id = by_id FOR SHARE;
  END IF;
  PERFORM FROM node WHERE id = other_id FOR NO KEY UPDATE;
  IF by_id > other_id THEN
    PERFORM FROM node WHERE id = by_id FOR SHARE;
  END IF;
  IF NOT EXISTS (SELECT FROM node WHERE id = by_id AND fenced_at IS NULL) THEN
    RETURN -1;
  END IF;
  INSERT INTO node AS n (id, incarnation, registered_at, fenced_at, fenced_by)
  VALUES (other_id, 0, now_millis(), now_millis(), by_id)
  ON CONFLICT (id) DO UPDATE SET fenced_at = excluded.fenced_at, fenced_by = excluded.fenced_by
  WHERE n.fenced_at IS NULL;
  RETURN CASE WHEN FOUND THEN 1 ELSE 0 END;
END
$$;

-- Moves rows of the agenda on to the deadlines of their owners' newest events. Locks them first: a
-- batch that brings a deadline nearer writes the owner's row, so either it waits for this or this
-- sees its event.
CREATE FUNCTION postpone(owners uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM agenda WHERE owner = ANY (owners) ORDER BY owner FOR UPDATE;
  UPDATE agenda
  SET wake = coalesce(
    (SELECT due FROM event WHERE event.owner = agenda.owner ORDER BY seq DESC LIMIT 1),
    9223372036854775807)
  WHERE owner = ANY (owners);
END
$$;

-- What the two functions below delete must not meet a batch of the same node that has looked at the
-- owner before: such a batch waits for the node's row, finds another writer number, and is sent
-- anew.

-- Removes owners whose newest event has the number given; returns those of whom nothing is left,
-- or null for a node that is fenced. See JournalStore.purge.
CREATE FUNCTION purge(node_id text, owners uuid[], numbers bigint[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  gone uuid[];
BEGIN
  UPDATE node SET writer = writer + 1 WHERE id = node_id AND fenced_at IS NULL;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT coalesce(array_agg(o.owner), '{}') INTO gone
  FROM unnest(owners, numbers) AS o (owner, number)
  WHERE o.number = coalesce(
    (SELECT seq FROM event WHERE event.owner = o.owner ORDER BY seq DESC LIMIT 1), o.number);
  DELETE FROM event WHERE owner = ANY (gone);
  DELETE FROM snapshot WHERE owner = ANY (gone);
  DELETE FROM agenda WHERE owner = ANY (gone);
  RETURN gone;
END
$$;

-- 1: done; 0: there is no such event; -1: the node is fenced. See JournalStore.erase.
CREATE FUNCTION erase(node_id text, erased uuid, number bigint, deadline bigint)
RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  UPDATE node SET writer = writer + 1 WHERE id = node_id AND fenced_at IS NULL;
  IF NOT FOUND THEN
    RETURN -1;
  END IF;
  UPDATE event SET due = nullif(deadline, 9223372036854775807)
  WHERE owner = erased AND seq = number;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  IF deadline < 9223372036854775807 THEN
    INSERT INTO agenda AS a (owner, wake) VALUES (erased, deadline)
    ON CONFLICT (owner) DO UPDATE SET wake = least(a.wake, excluded.wake);
  END IF;
  DELETE FROM event WHERE owner = erased AND seq < number;
  DELETE FROM snapshot WHERE owner = erased AND seq < number;
  RETURN 1;
END
$$;
