-- What a report asks: the attempts of one work order, in the order of their beginnings.
CREATE INDEX attempts_by_work_order ON attempts (work_order, started_us, serial, attempt)
    WHERE work_order IS NOT NULL;
