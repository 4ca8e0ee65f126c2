"""HTTP/1.1 as our clients speak it: connections that threads share, and what is sent over them.

It must not know which service is at the other end, nor what it is asked.
"""
