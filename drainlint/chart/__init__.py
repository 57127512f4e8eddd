"""The chart of a program: what the model knows of it, as a value for people and tools."""
