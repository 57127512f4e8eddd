"""Exiting: leaving without draining."""
