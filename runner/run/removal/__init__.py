"""How runs end: what goes, what is left, and for whom."""
