"""What a kind of values may ask while a shell waits for completion: the line and its settings.

A person has pressed a key, so nothing is validated and little imported: os, and tomllib where there
is a file. The rules are those of `core.config`, whose models would take ten times as long. What
can't be read counts as not there; the command itself will say what is wrong with it.
"""

# pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH111, PTH113, PTH118, PTH120, PTH123
from __future__ import annotations

import os

from x0tta_cli.core import folders

# The typing module costs as much as all of this; type checkers take any variable of this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SYSTEM_FILE = "/etc/x0tta/config.toml"


class Line:
    """A command line that is being typed: the words before the one at the cursor."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str] = os.environ) -> None:
        self._options = _options(words)
        self._environ = environ

    def path(self, option: str, section: str, key: str) -> str | None:
        """Find a file or folder that an option names, or else the configuration."""
        given = self._options.get(option) or self._environ.get(f"X0TTA_{section}__{key}".upper())
        if given:
            return os.path.expanduser(given)
        found = None
        for file, tables in self._layers():
            value = _table(tables, section).get(key)
            if isinstance(value, str):
                # A file means what stands beside it, wherever x0tta is called.
                found = os.path.join(os.path.dirname(file), os.path.expanduser(value))
        return found

    def profiles(self) -> list[str]:
        """Name the profiles of the configuration."""
        names = {name for _, tables in self._files() for name in _table(tables, "profiles")}
        return sorted(names)

    def names(self, section: str, key: str) -> list[str]:
        """Name what stands in a table of a section, in any file and in the chosen profile."""
        tables = [_table(_table(tables, section), key) for _, tables in self._layers()]
        return sorted({name for table in tables for name in table})

    def _layers(self) -> list[tuple[str, dict[str, Any]]]:
        """Give the tables of each file and of the chosen profile in it, the strongest last."""
        profile = self._options.get("--profile") or self._environ.get("X0TTA_PROFILE") or ""
        layers = []
        for file, tables in self._files():
            layers += [(file, tables), (file, _table(_table(tables, "profiles"), profile))]
        return layers

    def _files(self) -> list[tuple[str, dict[str, Any]]]:
        user = folders.configuration(self._environ)
        named = self._options.get("--config") or self._environ.get("X0TTA_CONFIG") or ""
        own = [os.path.join(user, "config.toml")] if user else []
        files = [SYSTEM_FILE, *own, os.path.expanduser(named)]
        return [(file, _read(file)) for file in files if os.path.isfile(file)]


def _options(words: Sequence[str]) -> dict[str, str]:
    """Read `--name value` and `--name=value`; the last, which is the innermost, wins.

    Which options take no value isn't known here. Nobody asks for those.
    """
    options = {}
    for index, word in enumerate(words):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if equals:
            options[name] = value
        elif index + 1 < len(words):
            options[name] = words[index + 1]
    return options


def _read(file: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(file, "rb") as stream:
            return tomllib.load(stream)
    except (OSError, ValueError, RecursionError):
        return {}


def _table(tables: dict[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}
