"""Where values come from: files and the environment, the strongest last.

The nouns are named tuples, which are made six times faster than dataclasses: every command pays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.files import reading_errors

SYSTEM_FILE = Path("/etc/x0tta/config.toml")
PROFILES = "profiles"
PREFIX = "X0TTA_"
# Variables of the house itself, which are no keys of a section.
HOUSE_VARIABLES = frozenset({"X0TTA_CONFIG", "X0TTA_PROFILE", "X0TTA_READ_ONLY", "X0TTA_STATE_DIR"})

KeyPath = tuple[str, ...]


class Source(NamedTuple):
    """Where a value was given: in a file (and a profile of it), the environment or an option."""

    file: Path | None = None
    profile: str = ""
    is_environment: bool = False

    def name(self, path: KeyPath) -> str:
        """Name the place of the value at `path` as an operator would look for it."""
        if self.is_environment:
            return f"environment {variable(path)}"
        if self.file is None:
            return "option"
        return f"{self.file} [{PROFILES}.{self.profile}]" if self.profile else str(self.file)

    def line(self, path: KeyPath) -> int | None:
        """Find the line of the value at `path` in the file; None where it is not plain to see."""
        if self.file is None:
            return None
        return _line_of(self.file, (PROFILES, self.profile, *path) if self.profile else path)


class Given(NamedTuple):
    """A value together with where it was given."""

    value: Any
    source: Source


class Place(NamedTuple):
    """A file that is looked for, and who says so: --config, X0TTA_CONFIG, user or system."""

    path: Path
    given_by: str

    @property
    def is_named(self) -> bool:
        """Whether the file was asked for by name, so that it has to exist."""
        return self.given_by not in {"user", "system"}


ENVIRONMENT = Source(is_environment=True)
OPTION = Source()


def variable(path: KeyPath) -> str:
    """Name the environment variable of a key: `X0TTA_DRILL__SEED`."""
    return PREFIX + "__".join(path).upper()


def read_files(places: Sequence[Place]) -> list[Given]:
    """Read the files that there are, the weakest first; one that was named has to exist.

    Raises `files.not_found` (4), `files.not_readable` (6), `config.not_toml` (9).
    """
    return [read_file(place.path) for place in places if place.is_named or exists(place.path)]


def read_file(file: Path) -> Given:
    """Read one file that has to exist; raises as `read_files`."""
    with reading_errors(file):
        data = file.read_bytes()
    return Given(parse(file, data), Source(file))


def exists(file: Path) -> bool:
    """Whether there is such a file; `files.not_readable` (6) where that may not be known."""
    with reading_errors(file):
        return file.exists()


def places(explicit: Path | None, environ: Mapping[str, str]) -> list[Place]:
    """List the files that are looked for, the weakest first, each once."""
    found = [Place(file, "system" if file == SYSTEM_FILE else "user") for file in standard_files()]
    from_variable = environ.get("X0TTA_CONFIG")
    if explicit:
        found.append(Place(explicit, "--config"))
    elif from_variable:
        found.append(Place(Path(from_variable), "X0TTA_CONFIG"))
    return [place for i, place in enumerate(found) if place.path not in _paths(found[i + 1 :])]


def standard_files() -> list[Path]:
    """List the files that are looked for without being named, the weakest first."""
    from platformdirs import user_config_path

    try:
        user_file = user_config_path("x0tta") / "config.toml"
    except RuntimeError:
        return [SYSTEM_FILE]
    # Without a home folder older releases give '~/...', which would lie in the current folder.
    return [SYSTEM_FILE, *([user_file] if user_file.is_absolute() else [])]


def with_profile(tables: Sequence[Given], profile: str | None) -> list[Given]:
    """Lay the chosen profile of each file over the file; raises `config.unknown_profile` (9)."""
    if not profile:
        return list(tables)
    layers, known = [], set()
    for table in tables:
        profiles = profiles_of(table)
        known |= {overlay.source.profile for overlay in profiles}
        layers += [table, *(overlay for overlay in profiles if overlay.source.profile == profile)]
    if profile not in known:
        names = ", ".join(sorted(known))
        raise ConfigurationError(
            "config.unknown_profile",
            f"There is no profile '{profile}'.",
            reason=f"The configuration has {names}." if names else "The configuration has none.",
            fix=f"Choose one of them, or add a table [{PROFILES}.{profile}.SECTION].",
            context={"profile": profile, "profiles": sorted(known)},
        )
    return layers


def from_environment(section: str, environ: Mapping[str, str]) -> Given | None:
    """Collect what the environment says of a section, nested as its keys are."""
    prefix = f"{variable((section,))}__"
    table: dict[str, Any] = {}
    for name in sorted(environ):
        if not name.startswith(prefix):
            continue
        *parents, key = name.removeprefix(prefix).lower().split("__")
        place = table
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise _contradiction(name, parent)
        place[key] = environ[name]
    return Given(table, ENVIRONMENT) if table else None


def near_misses(section: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Find variables that seem to mean a section and lack an underscore: `X0TTA_DRILL_SEED`."""
    prefix = f"{variable((section,))}_"
    for name in sorted(environ):
        if name.startswith(prefix) and "__" not in name and name not in HOUSE_VARIABLES:
            yield name


def profiles_of(table: Given) -> list[Given]:
    """List the profiles of a file as layers of their own; what is no table is left out."""
    profiles = table.value.get(PROFILES, {})
    if not isinstance(profiles, dict):
        return []
    return [
        Given(sections, Source(table.source.file, name))
        for name, sections in profiles.items()
        if isinstance(sections, dict)
    ]


def parse(file: Path, data: bytes) -> dict[str, Any]:
    """Read the content of a file as TOML; raises `config.not_toml` (9)."""
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        reason = f"Line {line} is not UTF-8."
    except tomllib.TOMLDecodeError as error:
        reason = f"{error}."
    except RecursionError:
        reason = "It is nested too deeply."
    raise ConfigurationError(
        "config.not_toml",
        f"{file} is not TOML.",
        reason=reason,
        fix="Correct it there; https://toml.io/en/v1.0.0 has the rules.",
        context={"file": str(file)},
    )


def _contradiction(name: str, parent: str) -> ConfigurationError:
    return ConfigurationError(
        "config.bad_value",
        f"environment {name}: '{parent.upper()}' is set as a value as well.",
        reason="A key can't be a value and a table.",
        fix=f"unset {name.rpartition('__')[0]}",
        context={"variable": name},
    )


def _paths(places: Sequence[Place]) -> set[Path]:
    return {place.path for place in places}


def _line_of(file: Path, path: KeyPath) -> int | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    table: KeyPath = ()
    for number, line in enumerate(lines, 1):
        if (header := header_of(line)) is not None:
            table = header
            if table == path:
                return number
        elif (found := re.match(r"\s*([\w\"'. -]+?)\s*=", line)) and (
            table + _keys(found[1]) == path
        ):
            return number
    return None


def header_of(line: str) -> KeyPath | None:
    """Read the name of the table that a line begins; None where it begins none."""
    header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
    return _keys(header[1]) if header else None


def _keys(dotted: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
