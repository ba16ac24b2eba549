"""The step engine, the pool of engines, and what runs on them."""
