-- Version 3. What readers of the feed rely on: which journal this is (it goes with its rows wherever
-- they are moved), and the highest position that retention has deleted.
CREATE TABLE feed (
  one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  identity  TEXT    NOT NULL,
  forgotten INTEGER NOT NULL
) STRICT;
INSERT INTO feed (one, identity, forgotten) VALUES (1, lower(hex(randomblob(16))), 0);

-- One row per named consumer of the feed: up to where it has read. Retention deletes nothing above
-- the lowest position, but for consumers that have lapsed.
CREATE TABLE consumer (
  name     TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  read_at  INTEGER NOT NULL,
  lapsed   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
