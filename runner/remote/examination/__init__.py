"""The questions of a diagnosis, as requests that change nothing."""
