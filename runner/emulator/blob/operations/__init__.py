"""The operations of the REST reference: decode, ask the core, encode."""
