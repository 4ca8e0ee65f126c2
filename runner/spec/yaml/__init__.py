"""Text to data with places: YAML as the 1.2 core schema reads it."""
