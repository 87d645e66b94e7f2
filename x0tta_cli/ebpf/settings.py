"""The configuration section `[ebpf]`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from x0tta_cli.ebpf.defaults import DEFAULTS


class EbpfSettings(BaseModel):
    """What can be set under `[ebpf]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bpf_filesystem: Path = Field(
        DEFAULTS.bpf_filesystem,
        description="Where the BPF file system is mounted, for pinned links.",
    )
    attachment: Literal["auto", "link", "netlink"] = Field(
        "auto",
        description="What holds a program: a bpf_link, which no other tool can replace, or netlink "
        "alone. auto takes a link wherever the kernel has them.",
    )
    check_again: timedelta = Field(
        DEFAULTS.check_again,
        description="After this time the hosts of the self-check have to answer once more.",
    )
    reconcile: timedelta = Field(
        DEFAULTS.reconcile,
        description="How often attach --follow compares what is attached with what should be.",
    )
    export_token: SecretStr | None = Field(
        default=None,
        description="Bearer token that ebpf export demands; beyond loopback it needs one.",
    )
