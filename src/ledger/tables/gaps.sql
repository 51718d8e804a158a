-- Schema 4: what a restore lost. A restore closes the line until its gap is accepted, and a certificate may have been read
-- from the device that holds it instead of issued here.

ALTER TABLE ledger ADD COLUMN gap_seq INTEGER;
UPDATE ledger SET gap_seq = (SELECT max(seq) FROM acts WHERE act = 'restored');

ALTER TABLE certificates ADD COLUMN origin TEXT NOT NULL DEFAULT 'issued'
    CHECK (origin IN ('issued', 'adopted'));
