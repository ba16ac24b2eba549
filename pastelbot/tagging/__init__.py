"""Tagging: a WD14 tagger on ONNX Runtime that describes pictures by danbooru tags and rates them."""
