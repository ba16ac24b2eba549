"""Buttons, forms and confirmations that several features share."""
