"""Recipes: reading, checking and running them."""
