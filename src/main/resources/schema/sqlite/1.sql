-- Version 1. Statements end with a semicolon at the end of a line; SqliteSchema runs them in one
-- transaction and then sets user_version. A version that was released is never edited: the next
-- change is 2.sql.

-- One row per event. `position` is the one order of all events: a single writer at a time, so the
-- order of commits. A new one is the highest plus one; as no deletion removes the event
-- with the highest one, and no position is ever used twice. (AUTOINCREMENT would say so too,
-- for a tenth more work on each row.)
CREATE TABLE event (
  position INTEGER PRIMARY KEY,
  owner    BLOB    NOT NULL,
  seq      INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  due      INTEGER,
  name     TEXT    NOT NULL,
  payload  BLOB    NOT NULL
) STRICT;

-- The second line: no two events of one owner have the same number.
CREATE UNIQUE INDEX event_key ON event (owner, seq);

CREATE TABLE snapshot (
  owner   BLOB    NOT NULL PRIMARY KEY,
  seq     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  payload BLOB    NOT NULL
) STRICT;

-- When to look at an owner's deadline: never later than the deadline (`due`) of its newest event,
-- often earlier. Deadlines mostly move on, and then nothing is written here; the sweep that finds
-- the row early moves it to the deadline of that time.
CREATE TABLE agenda (
  owner BLOB    NOT NULL PRIMARY KEY,
  wake  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX agenda_wake ON agenda (wake);

-- One row per node process. It writes while fenced_at is null.
CREATE TABLE node (
  id            TEXT    NOT NULL PRIMARY KEY,
  incarnation   INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  fenced_at     INTEGER,
  fenced_by     TEXT
) STRICT, WITHOUT ROWID;

-- One row: the cluster that this journal belongs to.
CREATE TABLE incarnation (
  one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  number     INTEGER NOT NULL,
  holder     TEXT,
  renewed_at INTEGER NOT NULL,
  released   INTEGER NOT NULL
) STRICT;

INSERT INTO incarnation (one, number, renewed_at, released) VALUES (1, 0, 0, 1);

-- Written and emptied to find out whether the store takes writes.
CREATE TABLE probe (
  filler BLOB NOT NULL
) STRICT;
