"""Where x0tta starts: answers --version and completion at once, and loads the rest for all else."""

from __future__ import annotations

import gc
import os
import sys

OBJECTS_BETWEEN_COLLECTIONS = 50_000


def main() -> int:
    """Run the command line of this process; its exit status."""
    if sys.argv[1:] == ["--version"] and _print_version():
        return 0
    if sys.argv[1:2] == ["__complete"]:
        from x0tta_cli.terminal.completion import values

        return values.answer(sys.argv[2:])
    from x0tta_cli.terminal.guard import guard

    return guard(_run, sys.argv[1:])


def _print_version() -> bool:
    from x0tta_cli import __version__

    try:
        os.write(1, f"x0tta {__version__}\n".encode())
    except OSError:
        # The frame fails on this as well, and says so.
        return False
    return True


def _run(arguments: list[str]) -> int:
    if arguments in (["-h"], ["--help"]):
        from x0tta_cli.terminal import help, streams  # noqa: A004

        streams.write(help.root_help() + "\n")
        return 0
    # Making modules and classes creates many objects that stay, and next to no rubbish: looking for
    # it every 700 objects, as Python does, takes a twentieth of the time of most commands.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from x0tta_cli.terminal.app import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
