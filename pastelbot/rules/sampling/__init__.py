"""How a request is sampled: the options of it by name."""
