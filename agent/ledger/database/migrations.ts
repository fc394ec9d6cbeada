import { addChecksums } from './row-checksum.ts';

/** One step of the schema. `oldestReader`: the lowest schema version a program must know to work with a ledger
 *  that has this step. A step that only adds tables, or columns with defaults, keeps the number, so that an update
 *  which is rolled back still finds a ledger it can use. */
export interface Migration {
  readonly version: number;
  readonly oldestReader: number;
  readonly sql: string;
}

const COUNT_3 = `
  DELETE FROM clip_totals;
  INSERT INTO clip_totals
    SELECT state.value, place.value, count(clip_id), coalesce(sum(bytes), 0)
    FROM json_each('["recording","sealed","uploading","uploaded","judged","parked","lost"]') AS state
    CROSS JOIN json_each('[0,1]') AS place
    LEFT JOIN clips ON clips.state = state.value AND clips.on_disk = place.value
    GROUP BY state.value, place.value;
  INSERT OR REPLACE INTO facts (name, value) VALUES
    ('outbox_events', (SELECT count(*) FROM outbox)),
    ('outbox_bytes', (SELECT coalesce(sum(bytes), 0) FROM outbox)),
    ('inbox_unread', (SELECT count(*) FROM inbox WHERE outcome = 'unread'));
`;
const COUNT_4 = `
  INSERT OR REPLACE INTO facts (name, value) VALUES ('clips_folded', (SELECT count(*) FROM folded_clips));
`;

/** Counts everything that is counted, whatever was counted before. */
export const COUNT_ALL = COUNT_3 + COUNT_4;

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    oldestReader: 1,
    sql: `
      CREATE TABLE clips (
        clip_id       TEXT PRIMARY KEY,
        camera_id     TEXT NOT NULL,
        state         TEXT NOT NULL
                      CHECK (state IN ('recording','sealed','uploading','uploaded','judged','parked','lost')),
        clock_quality TEXT NOT NULL,
        blob_name     TEXT NOT NULL,
        triggered_ms  INTEGER NOT NULL,
        started_ms    INTEGER,
        sealed_ms     INTEGER,
        uploaded_ms   INTEGER,
        judged_ms     INTEGER,
        pre_roll_ms   INTEGER,
        duration_ms   INTEGER,
        bytes         INTEGER,
        sha256        TEXT,
        blob_url      TEXT,
        attempt       INTEGER NOT NULL DEFAULT 0,
        -- Monotonic clock of the process that owns the ledger; void when it is opened again.
        lease_until   REAL,
        retry_at      REAL,
        verdict       TEXT,
        verdict_revision INTEGER NOT NULL DEFAULT 0,
        reason        TEXT,
        -- 1 while the row answers for a file on this disk.
        on_disk       INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX clips_by_state ON clips (state, clip_id);
      CREATE INDEX clips_by_retry ON clips (retry_at) WHERE state = 'sealed';
      CREATE INDEX clips_by_age ON clips (uploaded_ms) WHERE state = 'uploaded';
      CREATE INDEX clips_on_disk ON clips (state, clip_id, bytes) WHERE on_disk = 1;

      CREATE TABLE custody (
        seq     INTEGER PRIMARY KEY,
        clip_id TEXT NOT NULL REFERENCES clips (clip_id),
        at_ms   INTEGER NOT NULL,
        event   TEXT NOT NULL,
        state   TEXT NOT NULL,
        detail  TEXT
      ) STRICT;
      CREATE INDEX custody_by_clip ON custody (clip_id, seq);

      CREATE TABLE inbox (
        seq         INTEGER PRIMARY KEY,
        message_id  TEXT NOT NULL,
        body_sha256 TEXT NOT NULL,
        received_ms INTEGER NOT NULL,
        body        BLOB NOT NULL,
        outcome     TEXT NOT NULL DEFAULT 'unread'
                    CHECK (outcome IN ('unread','applied','already-known','refused')),
        reason      TEXT,
        UNIQUE (message_id, body_sha256)
      ) STRICT;
      CREATE INDEX inbox_unread ON inbox (seq) WHERE outcome = 'unread';

      CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 2,
    oldestReader: 1,
    sql: `
      CREATE TABLE outbox (
        event_id TEXT PRIMARY KEY,
        event    TEXT NOT NULL,
        -- What goes first when there are too many: 0 first.
        rank     INTEGER NOT NULL,
        bytes    INTEGER NOT NULL,
        body     TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX outbox_by_rank ON outbox (rank, event_id, bytes);

      -- The id given last, also when its event has been sent and is gone.
      CREATE TABLE outbox_last (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
        event_id TEXT NOT NULL
      ) STRICT;
    `,
  },
  {
    version: 3,
    oldestReader: 1,
    // Triggers, so that a program to which an update is rolled back keeps the totals right, too.
    sql: `
      -- The last clips of one camera, and how large they were.
      CREATE INDEX clips_by_camera ON clips (camera_id, clip_id, bytes) WHERE bytes IS NOT NULL;

      -- How many clips there are and how large they are together: one row for each state, with a file and without.
      CREATE TABLE clip_totals (
        state   TEXT NOT NULL,
        on_disk INTEGER NOT NULL,
        clips   INTEGER NOT NULL,
        bytes   INTEGER NOT NULL,
        PRIMARY KEY (state, on_disk)
      ) STRICT, WITHOUT ROWID;
      CREATE TRIGGER clip_totals_insert AFTER INSERT ON clips BEGIN
        UPDATE clip_totals SET clips = clips + 1, bytes = bytes + coalesce(new.bytes, 0)
          WHERE state = new.state AND on_disk = new.on_disk;
      END;
      CREATE TRIGGER clip_totals_update AFTER UPDATE OF state, on_disk, bytes ON clips BEGIN
        UPDATE clip_totals SET clips = clips - 1, bytes = bytes - coalesce(old.bytes, 0)
          WHERE state = old.state AND on_disk = old.on_disk;
        UPDATE clip_totals SET clips = clips + 1, bytes = bytes + coalesce(new.bytes, 0)
          WHERE state = new.state AND on_disk = new.on_disk;
      END;
      CREATE TRIGGER clip_totals_delete AFTER DELETE ON clips BEGIN
        UPDATE clip_totals SET clips = clips - 1, bytes = bytes - coalesce(old.bytes, 0)
          WHERE state = old.state AND on_disk = old.on_disk;
      END;

      -- The same for what waits: facts outbox_events, outbox_bytes and inbox_unread.
      CREATE TRIGGER outbox_totals_insert AFTER INSERT ON outbox BEGIN
        UPDATE facts SET value = value + 1 WHERE name = 'outbox_events';
        UPDATE facts SET value = value + new.bytes WHERE name = 'outbox_bytes';
      END;
      CREATE TRIGGER outbox_totals_delete AFTER DELETE ON outbox BEGIN
        UPDATE facts SET value = value - 1 WHERE name = 'outbox_events';
        UPDATE facts SET value = value - old.bytes WHERE name = 'outbox_bytes';
      END;
      CREATE TRIGGER inbox_totals_insert AFTER INSERT ON inbox WHEN new.outcome = 'unread' BEGIN
        UPDATE facts SET value = value + 1 WHERE name = 'inbox_unread';
      END;
      CREATE TRIGGER inbox_totals_update AFTER UPDATE OF outcome ON inbox BEGIN
        UPDATE facts SET value = value + (new.outcome = 'unread') - (old.outcome = 'unread')
          WHERE name = 'inbox_unread';
      END;
      CREATE TRIGGER inbox_totals_delete AFTER DELETE ON inbox WHEN old.outcome = 'unread' BEGIN
        UPDATE facts SET value = value - 1 WHERE name = 'inbox_unread';
      END;
      ${COUNT_3}
    `,
  },
  {
    version: 4,
    oldestReader: 1,
    sql: `
      -- Wall time at which it was first seen finished; nothing has happened to it since.
      ALTER TABLE clips ADD COLUMN finished_ms INTEGER;
      CREATE INDEX clips_finished ON clips (finished_ms) WHERE on_disk = 0 AND state IN ('judged','lost');

      -- Clips of long ago: so many of one camera and day (UTC) were judged so, or lost for that reason.
      CREATE TABLE folded (
        camera_id TEXT NOT NULL,
        day       TEXT NOT NULL,
        state     TEXT NOT NULL CHECK (state IN ('judged','lost')),
        detail    TEXT NOT NULL,
        clips     INTEGER NOT NULL,
        bytes     INTEGER NOT NULL,
        PRIMARY KEY (camera_id, day, state, detail)
      ) STRICT, WITHOUT ROWID;
      -- That they were there: a late verdict, a file or a blob is known by it.
      CREATE TABLE folded_clips (
        clip_id   TEXT PRIMARY KEY,
        camera_id TEXT NOT NULL,
        state     TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TRIGGER folded_totals_insert AFTER INSERT ON folded_clips BEGIN
        UPDATE facts SET value = value + 1 WHERE name = 'clips_folded';
      END;
      ${COUNT_4}
    `,
  },
  {
    version: 5,
    // An older program would change rows without their checksums.
    oldestReader: 5,
    sql: addChecksums,
  },
];

export const SCHEMA_VERSION = Math.max(...MIGRATIONS.map((step) => step.version));
