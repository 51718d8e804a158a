-- What a person searches for, and sums by day and by work order.

-- The newest attempts first, those that did not pass, and those with one code. Each index has
-- what the filters look at, so that only rows that are shown are fetched.
CREATE INDEX attempts_by_start ON attempts (started_us, serial, attempt, outcome, slot, code);
CREATE INDEX attempts_not_passed ON attempts (started_us, serial, attempt, outcome, slot, code)
    WHERE code IS NOT NULL;
CREATE INDEX attempts_by_code ON attempts (code, started_us, serial, attempt, outcome, slot)
    WHERE code IS NOT NULL;
CREATE INDEX attempts_by_hardware ON attempts (hardware, serial) WHERE hardware IS NOT NULL;

-- When the cloud was last called.
CREATE INDEX outbox_by_call ON outbox (sent_us) WHERE sent_us IS NOT NULL;

-- The sums that the transactions keep from here on, of what was there before.
INSERT INTO counts
    SELECT 'attempts@' || (ended_us / 86400000000), outcome, count(*)
    FROM attempts WHERE ended_us IS NOT NULL GROUP BY 1, 2;
INSERT INTO counts
    SELECT 'first@' || (ended_us / 86400000000), outcome, count(*)
    FROM attempts WHERE ended_us IS NOT NULL AND attempt = 1 GROUP BY 1, 2;
INSERT INTO counts
    SELECT 'slot-' || outcome || '@' || (ended_us / 86400000000), slot, count(*)
    FROM attempts WHERE ended_us IS NOT NULL GROUP BY 1, 2;
INSERT INTO counts
    SELECT 'codes@' || (ended_us / 86400000000), code, count(*)
    FROM attempts WHERE ended_us IS NOT NULL AND code IS NOT NULL GROUP BY 1, 2;
INSERT INTO counts
    SELECT 'order-first-' || outcome, work_order, count(*)
    FROM attempts WHERE ended_us IS NOT NULL AND attempt = 1 AND work_order IS NOT NULL
    GROUP BY 1, 2;
