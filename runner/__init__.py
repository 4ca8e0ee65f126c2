"""batch-run: one YAML file and one command run any program over every file."""

__version__ = "0.1.0"
