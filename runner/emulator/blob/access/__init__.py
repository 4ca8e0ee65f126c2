"""Who may do what: shared keys and shared access signatures."""
