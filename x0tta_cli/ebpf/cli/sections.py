"""The section `[ebpf]` of the configuration, as the commands use it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.terminal.command import configuration

if TYPE_CHECKING:
    from x0tta_cli.ebpf.defaults import Settings

SECTION, FILESYSTEM = "ebpf", "X0TTA_EBPF__BPF_FILESYSTEM"


def settings_of() -> Settings:
    """Read the section; raises what reading the configuration raises."""
    from x0tta_cli.ebpf.defaults import DEFAULTS, Settings

    current = configuration()
    # Where nothing is given, pydantic stays out, whose import takes as long as attaching does.
    if not current.is_given(SECTION):
        return DEFAULTS
    from x0tta_cli.ebpf.settings import EbpfSettings

    return Settings(**dict(current.section(SECTION, EbpfSettings)))


def safe_settings() -> Settings:
    """Read the section, or go on with the defaults and a warning: to look and to detach.

    Where the BPF file system is, the environment says then, or pins of ours that are found.
    """
    import logging

    from x0tta_cli.core.errors import OperatorError
    from x0tta_cli.ebpf import pins
    from x0tta_cli.ebpf.defaults import Settings

    try:
        return settings_of()
    except OperatorError as error:
        logging.getLogger(__name__).warning(
            "goes on without the configuration", extra={"reason": str(error)}
        )
        given = os.environ.get(FILESYSTEM)
        return Settings(bpf_filesystem=Path(given) if given else pins.likely_filesystem())
