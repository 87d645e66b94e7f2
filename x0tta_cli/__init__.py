"""The operator's toolkit for self-healing mesh networks."""

__version__ = "0.1.0"
