-- From version 7. 2026-11-24. What the tagger says of each picture.

ALTER TABLE pictures ADD COLUMN rating TEXT CHECK (rating IN
                ('general', 'sensitive', 'questionable', 'explicit', 'failed'));  -- NULL: nobody asked the tagger
