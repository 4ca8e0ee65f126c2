"""Expressions, and the templates that hold them."""
