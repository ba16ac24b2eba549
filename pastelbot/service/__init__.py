"""Services: the use cases, independent of the interface."""
