"""Indexing: what the names of a file stand for."""
