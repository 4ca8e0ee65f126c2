"""Files up and down, whole and in their places."""
