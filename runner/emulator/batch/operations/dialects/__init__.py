"""What differs between the api-versions: the emulator itself knows one form of everything."""
