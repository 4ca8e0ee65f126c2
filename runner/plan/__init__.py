"""What will be done: uploads and tasks, exact and reproducible."""
