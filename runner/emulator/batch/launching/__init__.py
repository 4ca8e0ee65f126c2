"""Makes what a node is asked to run out of the records."""
