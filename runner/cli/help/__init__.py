"""What people read who ask for help: on the screen and as a manual page.

It must not know what the commands do, but by what the table and their parsers say.
"""
