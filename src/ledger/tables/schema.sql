-- Schema 1. Append-only: a change is a new migration, never an edit of this one.

-- The chain. `entry` is what was hashed; nothing is ever encoded again to verify it.
CREATE TABLE journal (
    seq   INTEGER PRIMARY KEY,
    entry BLOB NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE journal_keys (
    id         INTEGER PRIMARY KEY,
    public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 65)
) STRICT;

-- One for each commit: the signed hash of its last entry.
CREATE TABLE heads (
    seq       INTEGER PRIMARY KEY REFERENCES journal (seq),
    key       INTEGER NOT NULL REFERENCES journal_keys (id),
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- Everything below is written by `apply` alone and follows from the journal.
CREATE TABLE ledger (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    station    TEXT NOT NULL,
    instance   BLOB NOT NULL CHECK (length(instance) = 16),
    created_us INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    newest_us  INTEGER NOT NULL,
    clock_us   INTEGER NOT NULL
) STRICT;

CREATE TABLE line_sessions (
    seq                 INTEGER PRIMARY KEY,
    station             TEXT NOT NULL,
    started_us          INTEGER NOT NULL,
    version             TEXT NOT NULL,
    config              BLOB NOT NULL,
    authority           BLOB NOT NULL,
    work_order          TEXT,
    operator            TEXT,
    journal_certificate TEXT
) STRICT;

CREATE TABLE authorities (
    fingerprint BLOB PRIMARY KEY,
    station     TEXT NOT NULL,
    der         BLOB NOT NULL,
    seen_us     INTEGER NOT NULL,
    seen_seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE work_orders (
    id              TEXT PRIMARY KEY,
    station         TEXT NOT NULL,
    product         TEXT NOT NULL,
    quantity        INTEGER NOT NULL,
    serial_pattern  TEXT,
    serial_range    TEXT,
    check_character TEXT NOT NULL,
    profile         BLOB NOT NULL,
    any_device      INTEGER NOT NULL CHECK (any_device IN (0, 1)),
    closed          INTEGER NOT NULL CHECK (closed IN (0, 1)),
    created_us      INTEGER NOT NULL,
    -- Distinct units, kept by the transactions that change them.
    proven          INTEGER NOT NULL DEFAULT 0 CHECK (proven >= 0),
    under_way       INTEGER NOT NULL DEFAULT 0 CHECK (under_way >= 0)
) STRICT;

CREATE TABLE work_order_devices (
    work_order TEXT NOT NULL REFERENCES work_orders (id),
    hardware   BLOB NOT NULL,
    place      INTEGER NOT NULL,
    PRIMARY KEY (work_order, hardware)
) STRICT, WITHOUT ROWID;

CREATE TABLE units (
    serial            TEXT PRIMARY KEY,
    station           TEXT NOT NULL,
    client_id         TEXT NOT NULL UNIQUE,
    state             TEXT NOT NULL CHECK (state IN ('reserved', 'issued', 'uncertain',
        'failed', 'proven', 'registered', 'shipped', 'rework', 'void', 'scrapped')),
    work_order        TEXT REFERENCES work_orders (id),
    created_us        INTEGER NOT NULL,
    changed_us        INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    open_attempt      INTEGER,
    open_position     TEXT CHECK (open_position IN ('begun', 'issued', 'asked', 'proven')),
    open_hardware     BLOB,
    open_sn           BLOB,
    open_work_order   TEXT REFERENCES work_orders (id),
    proven_hardware   BLOB,
    proven_sn         BLOB,
    proven_work_order TEXT REFERENCES work_orders (id),
    finished          INTEGER NOT NULL CHECK (finished IN (0, 1)),
    rework            TEXT NOT NULL CHECK (rework IN ('no', 'same-device', 'any-device')),
    registered        INTEGER NOT NULL CHECK (registered IN (0, 1)),
    shipped           INTEGER NOT NULL CHECK (shipped IN (0, 1)),
    voided            INTEGER NOT NULL CHECK (voided IN (0, 1)),
    scrapped          INTEGER NOT NULL CHECK (scrapped IN (0, 1))
) STRICT;
CREATE INDEX units_by_state ON units (state, serial);
CREATE INDEX units_by_work_order ON units (work_order, serial) WHERE work_order IS NOT NULL;
CREATE INDEX units_open ON units (serial) WHERE open_position IS NOT NULL;
CREATE UNIQUE INDEX units_open_hardware ON units (open_hardware) WHERE open_hardware IS NOT NULL;
CREATE UNIQUE INDEX units_proven_hardware ON units (proven_hardware)
    WHERE proven_hardware IS NOT NULL;

CREATE TABLE attempts (
    serial         TEXT NOT NULL REFERENCES units (serial),
    attempt        INTEGER NOT NULL,
    station        TEXT NOT NULL,
    slot           TEXT NOT NULL,
    work_order     TEXT REFERENCES work_orders (id),
    operator       TEXT,
    hardware       BLOB,
    model          TEXT,
    firmware       TEXT,
    certificate_sn BLOB UNIQUE,
    started_us     INTEGER NOT NULL,
    started_seq    INTEGER NOT NULL,
    ended_us       INTEGER,
    ended_seq      INTEGER,
    outcome        TEXT NOT NULL CHECK (outcome IN ('running', 'pass', 'fail', 'interrupted')),
    step           TEXT,
    code           TEXT,
    message        TEXT,
    proof          TEXT,
    restart        TEXT,
    PRIMARY KEY (serial, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
    sn          BLOB PRIMARY KEY,
    station     TEXT NOT NULL,
    serial      TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    client_id   TEXT NOT NULL,
    fingerprint BLOB NOT NULL UNIQUE,
    public_key  BLOB NOT NULL UNIQUE,
    issuer      BLOB NOT NULL REFERENCES authorities (fingerprint),
    der         BLOB NOT NULL,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    image       BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('issued', 'uncertain', 'proven', 'superseded',
        'void')),
    issued_seq  INTEGER NOT NULL,
    issued_us   INTEGER NOT NULL,
    proof       TEXT,
    proven_us   INTEGER,
    FOREIGN KEY (serial, attempt) REFERENCES attempts (serial, attempt)
) STRICT;
CREATE INDEX certificates_by_unit ON certificates (serial, attempt);
CREATE INDEX certificates_by_client_id ON certificates (client_id);
CREATE INDEX certificates_by_state ON certificates (state, serial, attempt);

CREATE TABLE registrations (
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    site           TEXT NOT NULL,
    region         TEXT NOT NULL,
    instance       TEXT NOT NULL,
    station        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('none', 'waiting', 'unclear', 'registered',
        'deferred', 'conflict', 'rejected', 'withdrawn', 'revoked')),
    status         TEXT,
    tries          INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT,
    registered_us  INTEGER,
    PRIMARY KEY (certificate_sn, site, region, instance)
) STRICT, WITHOUT ROWID;

-- What waits for the cloud. Rows of one client id are carried out in the order of `id`.
CREATE TABLE outbox (
    id             INTEGER PRIMARY KEY,
    station        TEXT NOT NULL,
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    client_id      TEXT NOT NULL,
    operation      TEXT NOT NULL CHECK (operation IN ('register', 'revoke')),
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'done', 'withdrawn')),
    queued_us      INTEGER NOT NULL,
    queued_seq     INTEGER NOT NULL,
    UNIQUE (certificate_sn, operation)
) STRICT;
CREATE INDEX outbox_open ON outbox (id) WHERE state IN ('waiting', 'claimed');
CREATE INDEX outbox_open_by_client_id ON outbox (client_id, id)
    WHERE state IN ('waiting', 'claimed');

-- What persons did. A person is an id here; names stand elsewhere.
CREATE TABLE acts (
    seq        INTEGER PRIMARY KEY,
    station    TEXT NOT NULL,
    at_us      INTEGER NOT NULL,
    act        TEXT NOT NULL,
    serial     TEXT REFERENCES units (serial),
    work_order TEXT REFERENCES work_orders (id),
    reason     TEXT,
    operator   TEXT,
    uid        INTEGER NOT NULL
) STRICT;
CREATE INDEX acts_by_unit ON acts (serial, seq) WHERE serial IS NOT NULL;

-- Sums for the statistics, so that nobody has to scan for them.
CREATE TABLE counts (
    what  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (what, name)
) STRICT, WITHOUT ROWID;
