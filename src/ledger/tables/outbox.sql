-- Schema 2: what is sent to the cloud, and to which instance.

-- The instances in which certificates are or were registered; one of them is the current one.
CREATE TABLE clouds (
    id         INTEGER PRIMARY KEY,
    station    TEXT NOT NULL,
    site       TEXT NOT NULL,
    region     TEXT NOT NULL,
    instance   TEXT NOT NULL,
    current    INTEGER NOT NULL CHECK (current IN (0, 1)),
    chosen_us  INTEGER NOT NULL,
    chosen_seq INTEGER NOT NULL,
    UNIQUE (site, region, instance)
) STRICT;
CREATE UNIQUE INDEX clouds_current ON clouds (current) WHERE current = 1;

-- What a certificate's registration shows beside its state.
ALTER TABLE registrations ADD COLUMN last_code TEXT;
ALTER TABLE registrations ADD COLUMN cloud_sn TEXT;
ALTER TABLE registrations ADD COLUMN by_hand INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1));

-- The outbox anew: more operations, several of a kind over time, each for one instance. A row
-- has none until the first one is chosen.
CREATE TABLE outbox_2 (
    id             INTEGER PRIMARY KEY,
    station        TEXT NOT NULL,
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    client_id      TEXT NOT NULL,
    operation      TEXT NOT NULL CHECK (operation IN ('register', 'activate', 'deactivate',
        'revoke')),
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'parked', 'done',
        'withdrawn')),
    cloud          INTEGER REFERENCES clouds (id),
    queued_us      INTEGER NOT NULL,
    queued_seq     INTEGER NOT NULL,
    tries          INTEGER NOT NULL DEFAULT 0,
    sent_us        INTEGER,
    last_code      TEXT,
    last_error     TEXT
) STRICT;
INSERT INTO outbox_2 (id, station, certificate_sn, client_id, operation, state, queued_us,
    queued_seq)
    SELECT id, station, certificate_sn, client_id, operation, state, queued_us, queued_seq
    FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_2 RENAME TO outbox;

-- A sync looks at open rows alone, however many are done.
CREATE INDEX outbox_open ON outbox (id) WHERE state IN ('waiting', 'claimed', 'parked');
CREATE INDEX outbox_open_by_client_id ON outbox (client_id, id)
    WHERE state IN ('waiting', 'claimed', 'parked');
CREATE UNIQUE INDEX outbox_open_once ON outbox (certificate_sn, operation, ifnull(cloud, 0))
    WHERE state IN ('waiting', 'claimed', 'parked');
CREATE INDEX outbox_by_certificate ON outbox (certificate_sn, id);
