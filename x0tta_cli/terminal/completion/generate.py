"""Writes what is generated from the command tree into a folder, or tells what there is stale.

python -m x0tta_cli.terminal.completion.generate FOLDER [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from x0tta_cli.terminal import manual, roff
from x0tta_cli.terminal.completion import bash, fish, zsh
from x0tta_cli.terminal.tree import Command, command_tree, shared_options


def generated(tree: Command) -> dict[str, str]:
    """Give each generated file by its path: the scripts, and below `man` the manual's pages."""
    shared = shared_options()
    return {
        "x0tta.bash": bash.script(tree, shared),
        "_x0tta": zsh.script(tree, shared),
        "x0tta.fish": fish.script(tree, shared),
        **{f"man/{page.name}.1": roff.page(page) for page in manual.pages(tree)},
    }


def main(arguments: Sequence[str]) -> int:
    """Write or check; the exit status, 1 where a file is not as it should be."""
    folder, check = Path(arguments[0]), "--check" in arguments[1:]
    wanted = generated(command_tree())
    found = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    stale = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    if check:
        for name in stale:
            print(f"{folder / name} is stale: run scripts/completions", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        _write(folder / name, wanted.get(name))
    return 0


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
