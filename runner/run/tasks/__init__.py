"""What becomes of tasks: their ends, further attempts, and what follows for the others."""
