"""Backends: what runs a UNet faster than torch does, call by call, with torch behind it."""
