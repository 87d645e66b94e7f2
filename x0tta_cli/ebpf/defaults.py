"""What holds where nothing is set under `[ebpf]`, known without importing pydantic."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from x0tta_cli.ebpf.pins import DEFAULT_FILESYSTEM

if TYPE_CHECKING:
    from pydantic import SecretStr


class Settings(NamedTuple):
    """The section `[ebpf]` as commands use it; `settings.EbpfSettings` says what each means."""

    bpf_filesystem: Path = DEFAULT_FILESYSTEM
    attachment: str = "auto"
    check_again: timedelta = timedelta(seconds=60)
    reconcile: timedelta = timedelta(seconds=30)
    export_token: SecretStr | None = None


DEFAULTS = Settings()
