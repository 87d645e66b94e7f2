"""What goes into a bundle: one collector for each thing, none of which can lose the others.

Secrets are not collected at all: the configuration says where they are, the environment gives
names. What is left passes through redaction, with the values of all secrets that are known.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

LARGEST_BYTES = 2 * 1024 * 1024
NEWEST_CRASHES = 5
LOG_TIME_S = 10
# sd_booted(3) looks for this folder.
SYSTEMD = Path("/run/systemd/system")
# A shorter value of such a variable may be a switch, and would tear holes into the texts.
SHORTEST_SECRET = 8


class NothingThereError(Exception):
    """There is nothing of this kind on this machine, and that is no failure."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to collect from: the configuration, and the time from when on."""

    configuration: Configuration
    since: datetime
    now: datetime


class Piece(NamedTuple):
    """One file of a bundle, before its secrets are taken out."""

    name: str
    text: str


class Collector(NamedTuple):
    """Something to collect, by name."""

    name: str
    collect: Callable[[Wanted], Iterator[Piece]]


def versions(_wanted: Wanted) -> Iterator[Piece]:
    """Tell what runs: x0tta, Python, the system, and the packages that x0tta declares."""
    import locale
    import platform
    from importlib import metadata

    from x0tta_cli import __version__
    from x0tta_cli.core.doctor.installation import declared
    from x0tta_cli.core.extras import EXTRAS

    packages = {}
    for extra in (None, *EXTRAS):
        for name, wanted in declared(extra):
            try:
                installed = metadata.version(name)
            except metadata.PackageNotFoundError:
                installed = None
            packages[name] = {"installed": installed, "declared": wanted, "extra": extra}
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    yield _json(
        "versions.json",
        {
            "x0tta": __version__,
            "python": sys.version,
            "executable": sys.executable,
            "platform": platform.platform(),
            "system": system.get("PRETTY_NAME"),
            "encoding": locale.getpreferredencoding(do_setlocale=False),
            "user_id": os.geteuid(),
            "packages": packages,
        },
    )


def configuration(wanted: Wanted) -> Iterator[Piece]:
    """Tell every value and where it comes from; of a secret, where it is."""
    from x0tta_cli.core.errors import OperatorError
    from x0tta_cli.terminal.groups import settings_models

    models = settings_models()
    values: dict[str, Any] = {}
    unreadable = {}
    for name, model in models.items():
        try:
            origins = wanted.configuration.origins(name, model)
        except OperatorError as error:
            unreadable[name] = error.problem()
            continue
        values |= {key: _origin(origin) for key, origin in origins.items()}
    told = {
        "files": [_place(place.path, place.given_by) for place in wanted.configuration.places()],
        "profile": wanted.configuration.profile,
        "values": values,
        "unreadable": unreadable,
        "problems": [problem.problem() for problem in wanted.configuration.check(models)],
    }
    yield _json("configuration.json", told)


def environment(_wanted: Wanted) -> Iterator[Piece]:
    """Name the variables that mean x0tta or its connections; values stay where they are."""
    meant = ("X0TTA_", "XDG_", "LC_", "LANG", "SSL_CERT_", "PYTHON")
    others = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "TZ", "HOME", "TERM"}
    names = sorted(name for name in os.environ if name.startswith(meant) or name.upper() in others)
    yield _json("environment.json", {"names": names})


def doctor(wanted: Wanted) -> Iterator[Piece]:
    """Tell what the doctor finds on this machine; other machines are not asked."""
    from x0tta_cli.terminal import diagnosis
    from x0tta_cli.terminal.records import plain

    request = diagnosis.Request(may_go_out=False)
    found = diagnosis.diagnose(request, diagnosis.surroundings_of(wanted.configuration))
    yield _json("doctor.json", plain(found))


def journal(wanted: Wanted) -> Iterator[Piece]:
    """Tell the operations since then, and those that are unfinished, however old."""
    from x0tta_cli.core import journal as core_journal
    from x0tta_cli.terminal.records import plain

    records = [
        record
        for record in core_journal.operations()
        if record.ended_at is None or record.started_at >= wanted.since
    ]
    if not records:
        raise NothingThereError("no operation since then")
    yield _json("journal.json", plain(records))


def crashes(wanted: Wanted) -> Iterator[Piece]:
    """Give the newest crash files since then."""
    import tempfile

    from x0tta_cli.core import state

    paths = [
        path
        for folder in dict.fromkeys((state.folder(), Path(tempfile.gettempdir())))
        for path in folder.glob("crash-*.txt")
        if _is_ours(path) and path.lstat().st_mtime >= wanted.since.timestamp()
    ]
    newest = sorted(paths, key=lambda path: path.name)[-NEWEST_CRASHES:]
    if not newest:
        raise NothingThereError("no crash since then")
    for path in newest:
        yield Piece(f"crashes/{path.name}", _tail(path.read_bytes()))


def logs(wanted: Wanted) -> Iterator[Piece]:
    """Give what x0tta's services have logged to systemd's journal since then."""
    import shutil
    import subprocess

    from x0tta_cli.core.errors import UnavailableError

    program = shutil.which("journalctl")
    if program is None or not SYSTEMD.is_dir():
        raise NothingThereError("systemd does not run here; x0tta itself logs to stderr")
    line = [program, "--no-pager", "--quiet", "--output=short-iso-precise", "--unit=x0tta*"]
    ended = subprocess.run(
        [*line, f"--since=@{int(wanted.since.timestamp())}"],
        capture_output=True,
        timeout=LOG_TIME_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if ended.returncode != 0:
        raise UnavailableError(
            "bundle.no_logs",
            "The logs of x0tta's services could not be read.",
            reason=ended.stderr.decode(errors="replace").strip()[:300],
            fix="Run as root, or as a member of the group systemd-journal.",
        )
    if not ended.stdout.strip():
        raise NothingThereError("no service of x0tta has logged since then")
    yield Piece("logs/services.log", _tail(ended.stdout))


COLLECTORS = (
    Collector("versions", versions),
    Collector("configuration", configuration),
    Collector("environment", environment),
    Collector("doctor", doctor),
    Collector("journal", journal),
    Collector("crashes", crashes),
    Collector("logs", logs),
)


def know_secrets() -> None:
    """Register the values of variables whose names say that they are secrets."""
    from x0tta_cli.core.secrets import is_secret_name, register

    for name, value in os.environ.items():
        # What a shell calls PWD is its folder.
        if is_secret_name(name) and name != "PWD" and len(value) >= SHORTEST_SECRET:
            register(value)


def _origin(origin: Any) -> dict[str, object]:
    return {"value": origin.value, "source": origin.source, "line": origin.line}


def _place(path: Path, given_by: str) -> dict[str, object]:
    """Tell that a configuration file is there, and who may read it; not what is in it."""
    try:
        mode = f"{path.stat().st_mode & 0o7777:04o}"
    except OSError as error:
        mode = error.strerror or str(error)
    return {"path": str(path), "given_by": given_by, "mode": mode}


def _json(name: str, value: Any) -> Piece:
    from x0tta_cli.core.secrets import json_form

    return Piece(name, json.dumps(json_form(value), indent=2, ensure_ascii=False) + "\n")


def _is_ours(path: Path) -> bool:
    """Whether this user wrote a file: anybody can put one into a folder for all."""
    return not path.is_symlink() and path.lstat().st_uid == os.geteuid()


def _tail(data: bytes) -> str:
    """Keep the end of what is too long: that is where things went wrong."""
    text = data[-LARGEST_BYTES:].decode(errors="replace")
    return text if len(data) <= LARGEST_BYTES else f"[the first part is left out]\n{text}"
