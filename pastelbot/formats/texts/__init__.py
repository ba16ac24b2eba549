"""Texts in files: their encodings, their places in pictures, and the cap on infotexts."""
