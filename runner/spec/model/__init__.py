"""The typed model of a checked spec."""
