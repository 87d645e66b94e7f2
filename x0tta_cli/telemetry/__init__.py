"""The mesh as data: who calls whom, what was measured, and how it is read."""
