"""What lies across HTTP: the only users of the Azure SDKs."""
