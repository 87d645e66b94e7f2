"""What was expected and what arrived: read, matched, settled, told."""
