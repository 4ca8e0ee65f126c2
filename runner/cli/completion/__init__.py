"""Completion of command lines in bash, zsh and fish.

The scripts of the shells are thin: they hand the words over to `batch-run __complete`, which
answers by the parser itself. So a script that was set up once knows options of later versions too,
all three shells say the same, and runs and tasks are completed, where generators of scripts know
only what never changes. It must not ask a service, nor write anything.
"""
