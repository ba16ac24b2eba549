-- From version 8. 2026-11-25. In which language a job's message is written.

ALTER TABLE jobs ADD COLUMN locale TEXT NOT NULL DEFAULT '';  -- Discord's name of it; empty: English
