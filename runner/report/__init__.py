"""Renderings of what happened: folds over events, as text and JSON."""
