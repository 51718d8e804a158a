-- Schema 7: which product an attempt was for; none in a ledger from before, and of what was adopted.
ALTER TABLE attempts ADD COLUMN product TEXT;
