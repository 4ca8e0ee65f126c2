"""What clients are shown: the records as JSON, in the order and casing of the service."""
