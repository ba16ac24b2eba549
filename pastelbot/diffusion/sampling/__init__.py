"""Samplers, sigma schedules and noise."""
