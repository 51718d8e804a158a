-- Whether each unit that passes gets a label from here on, and whether it is to be scanned back.
CREATE TABLE label_choice (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    at_pass    INTEGER NOT NULL CHECK (at_pass BETWEEN 0 AND 1),
    verify     INTEGER NOT NULL CHECK (verify BETWEEN 0 AND 1),
    chosen_us  INTEGER NOT NULL,
    chosen_seq INTEGER NOT NULL
) STRICT;

-- One for each label that a unit should have or may have; `copy` counts them.
CREATE TABLE labels (
    serial         TEXT NOT NULL REFERENCES units (serial),
    copy           INTEGER NOT NULL,
    station        TEXT NOT NULL,
    certificate_sn BLOB NOT NULL REFERENCES certificates (sn),
    state          TEXT NOT NULL CHECK (state = 'wanted' OR state = 'asked' OR state = 'sent'
        OR state = 'unclear' OR state = 'right' OR state = 'wrong'),
    verify         INTEGER NOT NULL CHECK (verify BETWEEN 0 AND 1),
    -- Whether somebody still has to see to it.
    open           INTEGER NOT NULL CHECK (open BETWEEN 0 AND 1),
    digest         BLOB CHECK (length(digest) = 32),
    printer        TEXT,
    reason         TEXT,
    message        TEXT,
    operator       TEXT,
    uid            INTEGER,
    first_seq      INTEGER NOT NULL,
    changed_us     INTEGER NOT NULL,
    PRIMARY KEY (serial, copy)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_open ON labels (first_seq) WHERE open = 1;
