"""Commands for each shell: where values may stand, and how they get there."""
