"""The pool of a run, from its making to its judgement."""
