"""Sleeping: pauses that nothing can interrupt."""
