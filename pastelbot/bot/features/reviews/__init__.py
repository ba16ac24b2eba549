"""Reviews of withheld pictures."""
