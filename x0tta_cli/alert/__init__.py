"""Tell the right people, once, and lose nothing."""
