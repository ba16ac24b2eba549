"""Exports: a checkpoint's networks for other runtimes."""
