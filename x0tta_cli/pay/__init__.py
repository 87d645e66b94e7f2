"""Verify and reconcile payments, to the last unit."""
