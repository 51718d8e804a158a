-- Who is known. Follows from the journal, as the other tables do.
CREATE TABLE operators (
    id        TEXT PRIMARY KEY,
    station   TEXT NOT NULL,
    role      TEXT NOT NULL CHECK (role IN ('operator', 'supervisor')),
    disabled  INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    added_us  INTEGER NOT NULL,
    added_seq INTEGER NOT NULL
) STRICT;

-- What is personal, and no evidence: it may be changed and erased, and no entry tells it.
CREATE TABLE persons (
    id        TEXT PRIMARY KEY,
    name      TEXT,
    pin       TEXT,
    -- Wrong PINs in a row, and when the last of them locked the PIN.
    wrong     INTEGER NOT NULL DEFAULT 0 CHECK (wrong >= 0),
    locked_us INTEGER
) STRICT;
