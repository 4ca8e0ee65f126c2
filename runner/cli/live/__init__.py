"""What is seen of a run while it goes: a view on a terminal, lines elsewhere."""
