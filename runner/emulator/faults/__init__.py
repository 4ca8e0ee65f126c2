"""Faults on demand: which there are, how they are asked for, when they happen."""
