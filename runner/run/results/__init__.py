"""What earlier runs have left, and which tasks need not run again for it."""
