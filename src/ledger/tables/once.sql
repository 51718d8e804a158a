-- Schema 10: a certificate stands once, in its entry of the journal, and no rule of a column or
-- an index is a list of words: SQLite fills a temporary table from such a list in each
-- statement. What is unique is so by an index with a name, which a replay can do without.
-- Foreign keys are off while this runs: tables that others name are made anew.

CREATE TABLE units_10 (
    serial            TEXT PRIMARY KEY NOT NULL,
    station           TEXT NOT NULL,
    client_id         TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state = 'reserved' OR state = 'issued'
        OR state = 'uncertain' OR state = 'failed' OR state = 'proven' OR state = 'registered'
        OR state = 'shipped' OR state = 'rework' OR state = 'void' OR state = 'scrapped'),
    work_order        TEXT REFERENCES work_orders (id),
    created_us        INTEGER NOT NULL,
    changed_us        INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    open_attempt      INTEGER,
    open_position     TEXT CHECK (open_position = 'begun' OR open_position = 'issued'
        OR open_position = 'asked' OR open_position = 'proven'),
    open_hardware     BLOB,
    open_sn           BLOB,
    open_work_order   TEXT REFERENCES work_orders (id),
    proven_hardware   BLOB,
    proven_sn         BLOB,
    proven_work_order TEXT REFERENCES work_orders (id),
    finished          INTEGER NOT NULL CHECK (finished BETWEEN 0 AND 1),
    rework            TEXT NOT NULL CHECK (rework = 'no' OR rework = 'same-device'
        OR rework = 'any-device'),
    registered        INTEGER NOT NULL CHECK (registered BETWEEN 0 AND 1),
    shipped           INTEGER NOT NULL CHECK (shipped BETWEEN 0 AND 1),
    voided            INTEGER NOT NULL CHECK (voided BETWEEN 0 AND 1),
    scrapped          INTEGER NOT NULL CHECK (scrapped BETWEEN 0 AND 1)
) STRICT, WITHOUT ROWID;
INSERT INTO units_10 SELECT * FROM units ORDER BY serial;
DROP TABLE units;
ALTER TABLE units_10 RENAME TO units;
CREATE UNIQUE INDEX units_by_client_id ON units (client_id);
CREATE INDEX units_by_state ON units (state, serial);
CREATE INDEX units_by_work_order ON units (work_order, serial) WHERE work_order IS NOT NULL;
CREATE INDEX units_open ON units (serial) WHERE open_position IS NOT NULL;
CREATE UNIQUE INDEX units_open_hardware ON units (open_hardware) WHERE open_hardware IS NOT NULL;
CREATE UNIQUE INDEX units_proven_hardware ON units (proven_hardware)
    WHERE proven_hardware IS NOT NULL;

CREATE TABLE attempts_10 (
    serial         TEXT NOT NULL REFERENCES units (serial),
    attempt        INTEGER NOT NULL,
    station        TEXT NOT NULL,
    slot           TEXT NOT NULL,
    work_order     TEXT REFERENCES work_orders (id),
    operator       TEXT,
    hardware       BLOB,
    model          TEXT,
    firmware       TEXT,
    certificate_sn BLOB,
    started_us     INTEGER NOT NULL,
    started_seq    INTEGER NOT NULL,
    ended_us       INTEGER,
    ended_seq      INTEGER,
    outcome        TEXT NOT NULL CHECK (outcome = 'running' OR outcome = 'pass'
        OR outcome = 'fail' OR outcome = 'interrupted'),
    step           TEXT,
    code           TEXT,
    message        TEXT,
    proof          TEXT,
    restart        TEXT,
    product        TEXT,
    label          TEXT,
    label_rule     INTEGER,
    PRIMARY KEY (serial, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts_10 SELECT * FROM attempts ORDER BY serial, attempt;
DROP TABLE attempts;
ALTER TABLE attempts_10 RENAME TO attempts;
CREATE UNIQUE INDEX attempts_by_certificate ON attempts (certificate_sn);
CREATE INDEX attempts_by_start ON attempts (started_us, serial, attempt, outcome, slot, code);
CREATE INDEX attempts_not_passed ON attempts (started_us, serial, attempt, outcome, slot, code)
    WHERE code IS NOT NULL;
CREATE INDEX attempts_by_code ON attempts (code, started_us, serial, attempt, outcome, slot)
    WHERE code IS NOT NULL;
CREATE INDEX attempts_by_hardware ON attempts (hardware, serial) WHERE hardware IS NOT NULL;
CREATE INDEX attempts_by_work_order ON attempts (work_order, started_us, serial, attempt)
    WHERE work_order IS NOT NULL;

-- The certificate itself is read from entry `issued_seq`.
CREATE TABLE certificates_10 (
    sn          BLOB PRIMARY KEY,
    station     TEXT NOT NULL,
    serial      TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    client_id   TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    public_key  BLOB NOT NULL,
    issuer      BLOB NOT NULL REFERENCES authorities (fingerprint),
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    image       BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state = 'issued' OR state = 'uncertain' OR state = 'proven'
        OR state = 'superseded' OR state = 'void'),
    issued_seq  INTEGER NOT NULL,
    issued_us   INTEGER NOT NULL,
    proof       TEXT,
    proven_us   INTEGER,
    origin      TEXT NOT NULL CHECK (origin = 'issued' OR origin = 'adopted'),
    FOREIGN KEY (serial, attempt) REFERENCES attempts (serial, attempt)
) STRICT;
INSERT INTO certificates_10
    SELECT sn, station, serial, attempt, client_id, fingerprint, public_key, issuer, not_before,
        not_after, image, state, issued_seq, issued_us, proof, proven_us, origin
    FROM certificates ORDER BY rowid;
DROP TABLE certificates;
ALTER TABLE certificates_10 RENAME TO certificates;
CREATE UNIQUE INDEX certificates_by_fingerprint ON certificates (fingerprint);
CREATE UNIQUE INDEX certificates_by_key ON certificates (public_key);
CREATE INDEX certificates_by_unit ON certificates (serial, attempt);
CREATE INDEX certificates_by_client_id ON certificates (client_id);
CREATE INDEX certificates_by_state ON certificates (state, serial, attempt);

CREATE TABLE registrations_10 (
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    site           TEXT NOT NULL,
    region         TEXT NOT NULL,
    instance       TEXT NOT NULL,
    station        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state = 'none' OR state = 'waiting' OR state = 'unclear'
        OR state = 'registered' OR state = 'deferred' OR state = 'conflict' OR state = 'rejected'
        OR state = 'withdrawn' OR state = 'revoked'),
    status         TEXT,
    tries          INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT,
    registered_us  INTEGER,
    last_code      TEXT,
    cloud_sn       TEXT,
    by_hand        INTEGER NOT NULL DEFAULT 0 CHECK (by_hand BETWEEN 0 AND 1),
    PRIMARY KEY (certificate_sn, site, region, instance)
) STRICT, WITHOUT ROWID;
INSERT INTO registrations_10 SELECT * FROM registrations
    ORDER BY certificate_sn, site, region, instance;
DROP TABLE registrations;
ALTER TABLE registrations_10 RENAME TO registrations;

CREATE TABLE outbox_10 (
    id             INTEGER PRIMARY KEY,
    station        TEXT NOT NULL,
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    client_id      TEXT NOT NULL,
    operation      TEXT NOT NULL CHECK (operation = 'register' OR operation = 'activate'
        OR operation = 'deactivate' OR operation = 'revoke'),
    state          TEXT NOT NULL CHECK (state = 'waiting' OR state = 'claimed' OR state = 'parked'
        OR state = 'done' OR state = 'withdrawn'),
    cloud          INTEGER REFERENCES clouds (id),
    queued_us      INTEGER NOT NULL,
    queued_seq     INTEGER NOT NULL,
    tries          INTEGER NOT NULL DEFAULT 0,
    sent_us        INTEGER,
    last_code      TEXT,
    last_error     TEXT
) STRICT;
INSERT INTO outbox_10 SELECT * FROM outbox ORDER BY id;
DROP TABLE outbox;
ALTER TABLE outbox_10 RENAME TO outbox;
CREATE INDEX outbox_open ON outbox (id)
    WHERE state = 'waiting' OR state = 'claimed' OR state = 'parked';
CREATE INDEX outbox_open_by_client_id ON outbox (client_id, id)
    WHERE state = 'waiting' OR state = 'claimed' OR state = 'parked';
CREATE UNIQUE INDEX outbox_open_once ON outbox (certificate_sn, operation, ifnull(cloud, 0))
    WHERE state = 'waiting' OR state = 'claimed' OR state = 'parked';
CREATE INDEX outbox_by_certificate ON outbox (certificate_sn, id);
CREATE INDEX outbox_by_call ON outbox (sent_us) WHERE sent_us IS NOT NULL;
