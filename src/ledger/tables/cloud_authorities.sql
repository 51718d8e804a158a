-- Schema 6: what a CA is called in each cloud instance.
CREATE TABLE cloud_authorities (
    authority  BLOB NOT NULL REFERENCES authorities (fingerprint),
    site       TEXT NOT NULL,
    region     TEXT NOT NULL,
    instance   TEXT NOT NULL,
    station    TEXT NOT NULL,
    -- As the cloud gave it; none where it was asked and its answer is not known.
    ca_sn      TEXT,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (authority, site, region, instance)
) STRICT, WITHOUT ROWID;
