"""From texts to tokens, and tokens in chunks."""
