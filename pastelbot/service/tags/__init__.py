"""The tag dictionary: completion, looking up, importing."""
