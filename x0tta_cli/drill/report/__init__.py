"""One self-contained page about one incident."""
