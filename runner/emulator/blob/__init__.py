"""Blob Storage: containers and block blobs on one disk."""
