"""Use cases: what people can do, whatever they do it through."""
