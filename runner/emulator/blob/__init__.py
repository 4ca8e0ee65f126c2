"""Blob Storage, written from its REST reference."""
