-- An attempt belongs to the time in which it began: its sums are of that quarter of an hour, with
-- which every hour of every clock begins. Before, they were of the hour in which it ended. What is
-- asked of a day looks at its attempts, so that the sums of days are of no use.
DELETE FROM counts WHERE what LIKE 'hour-%' OR what LIKE '%@%';
INSERT INTO counts
    SELECT 'quarter-' || outcome, CAST(started_us / 900000000 AS TEXT), count(*)
    FROM attempts WHERE outcome <> 'running' GROUP BY 1, 2;
