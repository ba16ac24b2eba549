"""Prompt language: pure text, no torch."""
