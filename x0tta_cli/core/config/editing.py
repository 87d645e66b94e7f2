"""Changes single values of a configuration file; its comments and its order stay."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from x0tta_cli.core.config import complaints, layers, references
from x0tta_cli.core.config.checking import identity
from x0tta_cli.core.config.keys import Key
from x0tta_cli.core.config.layers import (
    PROFILES,
    Given,
    KeyPath,
    Place,
    Source,
    exists,
    header_of,
    parse,
    profiles_of,
)
from x0tta_cli.core.config.sections import read_section
from x0tta_cli.core.config.template import inline_table
from x0tta_cli.core.config.typed import from_text, is_secret, kinds_of
from x0tta_cli.core.errors import (
    ConfigurationError,
    ConflictError,
    OperatorError,
    UsageError,
)
from x0tta_cli.core.files import absolute, make_folder, reading_errors, write_atomically
from x0tta_cli.core.secrets import HIDDEN, json_form

if TYPE_CHECKING:
    from pydantic import BaseModel

    from x0tta_cli.core.config.configuration import Configuration

Models = Mapping[str, "type[BaseModel]"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One key of a file set to a value: what the file says before and after, as it may be shown.

    `before` is None where the file does not have the key.
    """

    file: Path
    profile: str | None
    before: object
    value: object
    content: str
    is_change: bool


def target(places: Sequence[Place], *, system: bool = False) -> Place:
    """Choose the file to write: the one that was named, else the user's, or the system's.

    Raises ConfigurationError `config.no_user_file`.
    """
    if system:
        return Place(layers.SYSTEM_FILE, "system")
    strongest = places[-1]
    if strongest.given_by == "system":
        raise ConfigurationError(
            "config.no_user_file",
            "There is no place for a configuration file of this user.",
            reason="The user has no home folder, and XDG_CONFIG_HOME is not set.",
            fix="Name a file with --config, or take /etc/x0tta/config.toml with --system.",
        )
    return strongest


def create(place: Place, content: str, *, force: bool = False) -> None:
    """Write a new file whole, and the folder of a standard place where that is missing.

    Raises ConflictError `config.exists` without `force`, and `files.*`.
    """
    refuse_existing(place, force=force)
    if not place.is_named:
        make_folder(place.path.parent)
    write_atomically(place.path, content)


def refuse_existing(place: Place, *, force: bool) -> None:
    """Raise ConflictError `config.exists` where a file would be replaced without `force`."""
    if not force and exists(place.path):
        raise ConflictError(
            "config.exists",
            f"{place.path} exists already.",
            reason="It may hold what somebody has configured.",
            fix="Change single keys with x0tta config set, or replace it whole with --force.",
            context={"file": str(place.path)},
        )


def stronger_than(edit: Edit, key: Key, configuration: Configuration, models: Models) -> str | None:
    """Name the layer that still wins over an edit that was written; None where nothing does.

    Also None where other problems keep the section from being read.
    """
    section = key.path[0]
    try:
        origin = configuration.origins(section, models[section]).get(key.name)
    except OperatorError:
        return None
    own = Source(edit.file, edit.profile or "").name(key.path)
    return origin.source if origin and origin.source not in {own, "default"} else None


def edit(
    place: Place,
    key: Key,
    text: str,
    models: Models,
    *,
    profile: str | None = None,
    dry_run: bool = False,
) -> Edit:
    """Set a key of a file, or of a profile in it, to what `text` means for the key's type.

    The text is read as one of the environment is; tables, lists and references to secrets may be
    written as in TOML. A file that is missing is created. What is wrong is refused before
    anything is written; mistakes that the file had before are not in the way.

    Raises UsageError `usage.bad_value`, ConfigurationError `config.plain_secret`,
    `config.bad_value` (a value where a table should be) and `config.not_toml`, and `files.*`.
    """
    if dry_run:
        return _planned(place.path, key, text, models, profile)
    if not place.is_named:
        make_folder(place.path.parent)
    with _alone_in(place.path.parent):
        planned = _planned(place.path, key, text, models, profile)
        if planned.is_change:
            write_atomically(place.path, planned.content)
    return planned


def _planned(file: Path, key: Key, text: str, models: Models, profile: str | None) -> Edit:
    import tomlkit

    source = Source(file, profile or "")
    value = _meant(text, key, source)
    content = _content(file)
    before = parse(file, content.encode())
    path = (PROFILES, profile, *key.path) if profile else key.path
    _refuse_value_in_the_way(before, path, source)
    old = _value_at(before, path)
    document = tomlkit.parse(content if old is not None else _uncommented(content, path))
    _put(document, path, value)
    changed = _settled(tomlkit.dumps(document), content)
    known = {identity(problem) for problem in _problems(before, key, models, source)}
    for problem in _problems(parse(file, changed.encode()), key, models, source):
        if identity(problem) not in known:
            raise _refusal(problem, key, text)
    is_change = old != value or type(old) is not type(value)
    return Edit(
        file,
        profile,
        _showable(old, key),
        _showable(value, key),
        changed if is_change else content,
        is_change,
    )


def _content(file: Path) -> str:
    if not exists(file):
        return ""
    with reading_errors(file):
        data = file.read_bytes()
    parse(file, data)
    return data.decode()


def _meant(text: str, key: Key, source: Source) -> Any:
    """Read what was written on a command line as the key's type; as it is where none fits."""
    kinds = key.kinds
    if is_secret(kinds):
        reference = _toml(text)
        if isinstance(reference, dict) and not references.is_reference(reference):
            raise complaints.bad_reference(key.path, Given(reference, source))
        if not isinstance(reference, dict):
            raise complaints.plain_secret(key.path, Given(text, source))
        return reference
    return _read(text, kinds)


def _read(text: str, kinds: Sequence[Any]) -> Any:
    value = from_text(text, kinds)
    if isinstance(value, list):
        lists = [kind for kind in kinds if get_origin(kind) in {list, tuple, set, frozenset}]
        annotations = [item for item in get_args(lists[0]) if item is not Ellipsis]
        return [
            _read(item, kinds_of(annotations[min(index, len(annotations) - 1)]))
            if isinstance(item, str)
            else item
            for index, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    if Path in kinds:
        # On a command line a relative path means here; in a file it would mean beside the file.
        return str(absolute(Path(os.path.expanduser(value))))  # noqa: PTH111 - raises nothing
    takes_text = any(isinstance(kind, type) and issubclass(kind, str | Enum) for kind in kinds)
    return value if takes_text else _toml(value)


def _toml(text: str) -> Any:
    """Read a value that is written as in TOML: `{ env = "NAME" }`; as a text where it is none."""
    import tomllib

    try:
        (value,) = tomllib.loads(f"value = {text}").values()
    except (ValueError, RecursionError):
        return text
    return value


def _refuse_value_in_the_way(table: Any, path: KeyPath, source: Source) -> None:
    for end, part in enumerate(path[:-1], 1):
        table = table.get(part, {})
        if not isinstance(table, dict):
            given = Given(table, Source(source.file))
            raise complaints.bad_value(path[:end], given, "It should be a table.")


def _value_at(table: Any, path: KeyPath) -> Any:
    for part in path:
        if not isinstance(table, dict) or part not in table:
            return None
        table = table[part]
    return table


def _put(table: MutableMapping[str, Any], path: KeyPath, value: Any) -> None:
    import tomlkit

    for end, part in enumerate(path[:-1], 2):
        if part not in table:
            # Of new tables only the last needs a header: [profiles.night.drill].
            table[part] = tomlkit.table(is_super_table=end < len(path))
        table = table[part]
    if isinstance(value, dict):
        value = tomlkit.value(inline_table(value))
    table[path[-1]] = value


def _settled(changed: str, before: str) -> str:
    """Set apart what was added: a table by empty lines, all else from the comment of the next one.

    tomlkit counts a comment to the table above it; who writes one means what stands below.
    """
    # No splitlines: it also splits at what may stand within a text of the file.
    new, old = (_trimmed(text.split("\n")) for text in (changed, before))
    start = _shared(new, old)
    end = len(new) - _shared(new[start:][::-1], old[start:][::-1])
    above, added, below = new[:start], new[start:end], new[end:]
    comment: list[str] = []
    while below and _is_header(below[0]) and above and above[-1].lstrip().startswith("#"):
        comment.insert(0, above.pop())
    is_table = any(map(_is_header, added))
    is_insertion = start + len(new) - end == len(old)
    if is_insertion and (is_table or comment):
        above, below = _trimmed(above), [*comment, *below]
        added = _trimmed(_trimmed(added)[::-1])[::-1]
        apart = [""] if is_table and above else []
        new = [*above, *apart, *added, *([""] if below else []), *below]
    return "\n".join(new) + "\n"


def _shared(one: list[str], other: list[str]) -> int:
    """Count the lines with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _is_header(line: str) -> bool:
    return line.lstrip().startswith("[")


def _trimmed(lines: list[str]) -> list[str]:
    """Leave out the empty lines at the end."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _uncommented(content: str, path: KeyPath) -> str:
    """Bring the commented line of a key to life, so that its value stands where it is explained."""
    *table, key = path
    lines = content.splitlines(keepends=True)
    current: KeyPath | None = ()
    for number, line in enumerate(lines):
        if line.lstrip("# \t").startswith("["):
            # Below a header that is commented out stand the keys of that table.
            current = header_of(line)
        commented = re.match(rf"\s*#\s*({re.escape(key)}\s*=.*)", line)
        if current == tuple(table) and commented and _is_toml(commented[1]):
            lines[number] = f"{commented[1]}\n"
            return "".join(lines)
    return content


def _is_toml(line: str) -> bool:
    import tomllib

    try:
        tomllib.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _problems(
    table: Mapping[str, Any], key: Key, models: Models, source: Source
) -> list[OperatorError]:
    """Judge the key's section in one file; what that leaves to other files is no problem."""
    whole = Given(table, Source(source.file))
    overlays = [layer for layer in profiles_of(whole) if layer.source == source]
    section = key.path[0]
    fitted = read_section(section, models[section], [whole, *overlays], {}, fetches_secrets=False)
    return [problem for problem in fitted.problems if problem.code != "config.missing_key"]


def _refusal(problem: OperatorError, key: Key, text: str) -> OperatorError:
    if is_secret(key.kinds):
        return problem
    is_about_the_key = str(problem.context.get("key", "")).startswith(key.name)
    return UsageError(
        "usage.bad_value",
        f"{key.name} can't be '{text}'.",
        reason=problem.reason if is_about_the_key else f"{problem} {problem.reason}",
        fix=f"Give another value; x0tta config get {key.name} shows the one in force.",
        context={"key": key.name},
    )


def _showable(value: Any, key: Key) -> object:
    if is_secret(key.kinds) and value is not None and not references.is_reference(value):
        return HIDDEN
    return json_form(value)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other x0tta processes from editing files of the folder at the same time."""
    import fcntl

    with ExitStack() as opened:
        # Where there is no folder, writing says so; and some network file systems have no locks.
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
