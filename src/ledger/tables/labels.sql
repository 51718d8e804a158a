-- What an attempt was scanned from, where the label said more than the serial: its text, and
-- the rule of station.toml that read it; none in a ledger from before.
ALTER TABLE attempts ADD COLUMN label TEXT;
ALTER TABLE attempts ADD COLUMN label_rule INTEGER;
