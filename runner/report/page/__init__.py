"""A run as one page of HTML that needs no network, no server, and no script to be read."""
