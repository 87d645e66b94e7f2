"""Secrets: the configuration says where one is, and never what it is."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x0tta_cli.core import secrets
from x0tta_cli.core.errors import ConfigurationError, NotPermittedError
from x0tta_cli.core.files import reading_errors

KINDS = ("env", "file", "credential")
MAX_BYTES = 65_536
FORMS = '{ env = "NAME" }, { file = "PATH" } or { credential = "NAME" }'


def is_reference(value: Any) -> bool:
    """Whether a value has the form of a reference to a secret."""
    return (
        isinstance(value, Mapping)
        and len(value) == 1
        and next(iter(value)) in KINDS
        and isinstance(next(iter(value.values())), str)
    )


def resolve(
    reference: Mapping[str, str], key: str, file: Path | None, environ: Mapping[str, str]
) -> str:
    """Fetch a secret and register it, so that it shows up nowhere.

    `{ env }` is a variable; `{ file }` a file that only its owner may read, relative to the
    configuration file; `{ credential }` one that systemd passes (systemd.exec(5),
    LoadCredential=). A line end at the end is not part of it.

    Raises ConfigurationError `secrets.missing` and NotPermittedError `secrets.exposed`.
    """
    [(kind, name)] = reference.items()
    if kind == "env":
        value = environ.get(name, "")
        if not value:
            raise _missing(key, f"The environment has no variable {name}.", f"export {name}=…")
    elif kind == "file":
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - raises nothing
        value = _read(path if file is None else file.parent / path, key, is_shared_refused=True)
    else:
        value = _read(_credential(name, key, environ), key, is_shared_refused=False)
    secrets.register(value)
    return value


def _credential(name: str, key: str, environ: Mapping[str, str]) -> Path:
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    setting = f"Add LoadCredential={name}:/path/of/the/secret to the systemd unit."
    if not folder:
        raise _missing(key, "No systemd unit has passed credentials to this process.", setting)
    if "/" in name or not (Path(folder) / name).is_file():
        raise _missing(key, f"The systemd unit passes no credential '{name}'.", setting)
    return Path(folder) / name


def _read(path: Path, key: str, *, is_shared_refused: bool) -> str:
    with reading_errors(path):
        is_file = path.is_file()
    if not is_file:
        raise _missing(key, f"There is no file {path}.", f"Write the secret into {path}.")
    with reading_errors(path), path.open("rb") as stream:
        # Asked of the open file: the one at the path could be exchanged in between.
        mode = os.fstat(stream.fileno()).st_mode
        if is_shared_refused and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotPermittedError(
                "secrets.exposed",
                f"{key}: the secret in {path} is open to other users.",
                reason=f"Its mode is {stat.S_IMODE(mode):04o}.",
                fix=f"chmod 600 {path}; if others may have read it, replace the secret.",
                context={"key": key, "file": str(path)},
            )
        data = stream.read(MAX_BYTES + 1)
    try:
        value = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        value = ""
    if not value or len(data) > MAX_BYTES:
        raise _missing(
            key, f"The file {path} is empty, too long or no text.", f"Write the secret into {path}."
        )
    return value


def _missing(key: str, reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError(
        "secrets.missing",
        f"{key}: the secret is not where the configuration says.",
        reason=reason,
        fix=fix,
        context={"key": key},
    )
