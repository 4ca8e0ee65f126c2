"""One table of routes: decode, ask the core, encode."""
