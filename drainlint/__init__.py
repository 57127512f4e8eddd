"""Finds the code that keeps a Python service from draining when it is told to stop."""

__version__ = "0.1.0"
