"""What a run keeps in its directory, and what others read there."""
