"""What the kernel offers for BPF and XDP, and which capabilities this process lacks for them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.notices import Severity

# include/uapi/linux/capability.h; BPF and PERFMON were split off SYS_ADMIN in Linux 5.8.
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}
# XDP programs held by a bpf_link, which outlives no owner, came with 5.9.
OLDEST_KERNEL = (5, 9)


def look_at_bpf(surroundings: Surroundings) -> Observed:
    """See whether BPF programs can be loaded, pinned, and made for this kernel."""
    root = surroundings.root
    release = _read(root / "proc/sys/kernel/osrelease").strip()
    findings = []
    if (version := _version(release)) and version < OLDEST_KERNEL:
        findings.append(
            Finding(
                "doctor.kernel_too_old",
                Severity.INFO,
                release,
                f"The kernel {release} is too old for x0tta's BPF programs.",
                "Boot a kernel from 5.9 on; uname -r shows which one runs.",
                "XDP programs that end with their owner came with 5.9.",
            )
        )
    if not (root / "sys/kernel/btf/vmlinux").exists():
        findings.append(
            Finding(
                "doctor.no_btf",
                Severity.INFO,
                "/sys/kernel/btf/vmlinux",
                "The kernel does not describe its own types (BTF).",
                "Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions build theirs.",
                "Programs compiled once for all kernels need it.",
            )
        )
    if not _has_bpf_filesystem(root):
        findings.append(
            Finding(
                "doctor.no_bpf_filesystem",
                Severity.INFO,
                "/sys/fs/bpf",
                "The BPF file system is not mounted.",
                "sudo mount -t bpf bpf /sys/fs/bpf",
                "Programs and maps that outlive a command are pinned there.",
            )
        )
    findings += _missing_capabilities(root, ("CAP_BPF", "CAP_PERFMON"))
    return Observed(f"Linux {release}", tuple(findings))


def look_at_xdp(surroundings: Surroundings) -> Observed:
    """See whether a program may be attached to a network interface."""
    return Observed(findings=tuple(_missing_capabilities(surroundings.root, ("CAP_NET_ADMIN",))))


CHECKS = (Check("bpf", look_at_bpf), Check("xdp", look_at_xdp))


def effective_capabilities(status: str) -> frozenset[str]:
    """Read the effective capabilities out of proc_pid_status(5), those that BPF is about."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    mask = int(found[1], 16) if found else 0
    return frozenset(name for name, bit in CAPABILITIES.items() if mask >> bit & 1)


def _missing_capabilities(root: Path, names: tuple[str, ...]) -> list[Finding]:
    held = effective_capabilities(_read(root / "proc/self/status"))
    stand_in = "CAP_SYS_ADMIN" in held
    missing = [
        name for name in names if name not in held and (name == "CAP_NET_ADMIN" or not stand_in)
    ]
    return [
        Finding(
            "doctor.no_capability",
            Severity.INFO,
            name,
            f"This process lacks {name}.",
            _mend(name),
            "BPF programs are loaded with CAP_BPF and CAP_PERFMON, and attached to an interface "
            "with CAP_NET_ADMIN.",
        )
        for name in missing
    ]


def _mend(capability: str) -> str:
    if os.geteuid() != 0:
        return "Run x0tta as root: sudo x0tta doctor kernel"
    added = f"--cap-add={capability.removeprefix('CAP_')}"
    return f"Root has been left without it: start this container with {added}."


def _has_bpf_filesystem(root: Path) -> bool:
    mounts = (line.split() for line in _read(root / "proc/mounts").splitlines())
    return any(fields[1:3] == ["/sys/fs/bpf", "bpf"] for fields in mounts)


def _version(release: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else None


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace")
