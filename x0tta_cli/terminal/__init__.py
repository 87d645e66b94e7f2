"""The only room that knows Typer and Rich, beside the cli.py files."""
