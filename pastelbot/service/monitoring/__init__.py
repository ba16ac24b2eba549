"""Monitoring: metrics, health, and the loopback server that serves them."""
