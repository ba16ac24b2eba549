"""Danbooru tags: their names, the vocabulary, completion and suggestions."""
