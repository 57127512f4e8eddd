"""Linking: the facts of all files joined."""
