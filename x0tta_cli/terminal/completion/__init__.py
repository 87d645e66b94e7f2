"""Completion: static scripts for the shells, and the values that they ask x0tta itself for."""
