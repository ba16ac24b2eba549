"""`/mydata`."""
