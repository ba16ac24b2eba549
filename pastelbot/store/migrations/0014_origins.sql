-- From version 13. 2026-11-29. A message says which button made its picture, and what told its owner goes with it.

ALTER TABLE jobs ADD COLUMN made_with TEXT NOT NULL DEFAULT '';  -- the button's verb; '': by a command, or unknown
ALTER TABLE jobs ADD COLUMN ready_message_id INTEGER;          -- the message that told the owner that it is there
