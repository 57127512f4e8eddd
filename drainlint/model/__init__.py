"""The nouns that rules judge."""
