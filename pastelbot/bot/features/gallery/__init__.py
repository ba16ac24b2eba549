"""`/gallery` and sharing."""
