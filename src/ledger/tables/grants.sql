-- So many units of a work order that this station may make, signed by who ordered them.
CREATE TABLE grants (
    work_order     TEXT NOT NULL REFERENCES work_orders (id),
    number         INTEGER NOT NULL,
    station        TEXT NOT NULL,
    profile        BLOB NOT NULL CHECK (length(profile) = 32),
    quantity       INTEGER NOT NULL,
    order_quantity INTEGER NOT NULL,
    serials        TEXT,
    valid_until_us INTEGER NOT NULL,
    made_us        INTEGER NOT NULL,
    given_back     INTEGER NOT NULL,
    -- Units proven under it, whatever became of them since.
    used           INTEGER NOT NULL,
    -- Units under way or uncertain.
    under_way      INTEGER NOT NULL,
    taken_us       INTEGER NOT NULL,
    taken_seq      INTEGER NOT NULL,
    PRIMARY KEY (work_order, number)
) STRICT, WITHOUT ROWID;

-- Which grant a unit takes its place of. A unit that fails gives it back, and its row goes.
CREATE TABLE grant_places (
    serial     TEXT NOT NULL REFERENCES units (serial),
    work_order TEXT NOT NULL,
    number     INTEGER NOT NULL,
    station    TEXT NOT NULL,
    proven     INTEGER NOT NULL CHECK (proven BETWEEN 0 AND 1),
    PRIMARY KEY (serial, work_order),
    FOREIGN KEY (work_order, number) REFERENCES grants (work_order, number)
) STRICT, WITHOUT ROWID;
