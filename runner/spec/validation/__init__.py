"""What the schema and the rules find wrong, in a user's words."""
