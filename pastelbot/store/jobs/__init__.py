"""Jobs and their pictures in the database."""
