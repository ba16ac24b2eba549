-- From version 11. 2026-11-28. Pictures to start from are files, as painted ones are; the rows have held them until now.

ALTER TABLE jobs ADD COLUMN init_file TEXT;                     -- relative to the pictures folder; NULL: none, or removed
ALTER TABLE jobs ADD COLUMN init_size INTEGER NOT NULL DEFAULT 0;  -- bytes of the file
ALTER TABLE confirmations ADD COLUMN init_file TEXT;

CREATE INDEX jobs_by_init ON jobs (init_file) WHERE init_file IS NOT NULL;

-- Rows up to this one may hold a picture; the next start moves them into files, the newest first, and counts down.
INSERT INTO memory SELECT 'init pictures in rows', CAST(max(rowid) AS TEXT) FROM jobs HAVING max(rowid) IS NOT NULL;
