"""Records of the emulator on disk: how they are written as text, kept in a database, committed."""
