"""Doing it: submission, watching, results and cleanup, against Protocols."""
