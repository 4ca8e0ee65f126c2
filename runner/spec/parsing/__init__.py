"""From data that the schema has passed to the typed model."""
