"""What the user wrote: reading, checking and typing one spec."""
