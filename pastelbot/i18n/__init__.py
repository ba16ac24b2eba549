"""Languages: message catalogues, and translating finished texts with them."""
