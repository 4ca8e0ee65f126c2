"""The emulator's own endpoint, `/.emulator/…`: what it can be told while it runs."""
