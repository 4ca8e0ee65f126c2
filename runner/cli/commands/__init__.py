"""One module for each command: `add_arguments`, and `execute` to its exit code."""
