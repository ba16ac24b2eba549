"""The tagger in a process of its own, and the ratings that it gives to painted pictures."""
