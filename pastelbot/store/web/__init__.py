"""What the web page keeps of its users."""
