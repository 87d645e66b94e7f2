"""Compilers and headers, with which BPF programs are built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.notices import Severity

ANSWER_S = 4
# How each package manager installs, and what it calls the headers of Linux and of libbpf.
INSTALLERS = {
    "apt-get": ("sudo apt-get install", {"linux": "linux-libc-dev", "libbpf": "libbpf-dev"}),
    "dnf": ("sudo dnf install", {"linux": "kernel-headers", "libbpf": "libbpf-devel"}),
    "apk": ("sudo apk add", {"linux": "linux-headers", "libbpf": "libbpf-dev"}),
    "pacman": ("sudo pacman -S", {"linux": "linux-api-headers", "libbpf": "libbpf"}),
}
HEADERS = (("linux", "linux/bpf.h"), ("linux", "asm/types.h"), ("libbpf", "bpf/bpf_helpers.h"))


def look_at_compiler(_surroundings: Surroundings) -> Observed:
    """See whether there is a clang that makes BPF code."""
    program = find_clang()
    if program is None:
        return Observed(findings=(_no_compiler("No clang is installed.", "clang"),))
    try:
        ended = subprocess.run(
            [program, "--version", "--print-targets"],
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Observed(findings=(_no_compiler(f"{program} can't be run: {error}.", program),))
    if not re.search(r"^\s*bpf\b", ended.stdout, re.MULTILINE):
        return Observed(findings=(_no_compiler(f"{program} makes no BPF code.", program),))
    version = re.search(r"version (\d+(?:\.\d+)*)", ended.stdout)
    return Observed(f"clang {version[1]}" if version else "clang")


def look_at_headers(surroundings: Surroundings) -> Observed:
    """See whether the headers that a BPF program includes are there."""
    include = surroundings.root / "usr/include"
    findings = []
    for package, header in HEADERS:
        # Debian keeps what differs by architecture one folder deeper.
        if (include / header).exists() or any(include.glob(f"*/{header}")):
            continue
        findings.append(
            Finding(
                "doctor.no_headers",
                Severity.INFO,
                header,
                f"The header {header} is not installed.",
                install_line(package),
                "BPF programs are built with it; those that come with x0tta are built already.",
            )
        )
    return Observed("" if findings else "headers", tuple(findings))


CHECKS = (Check("compiler", look_at_compiler), Check("headers", look_at_headers))


def find_clang() -> str | None:
    """Find clang in PATH, or else the newest `clang-NN`."""
    if plain := shutil.which("clang"):
        return plain
    folders = [Path(folder) for folder in os.get_exec_path() if folder]
    numbered = {
        int(path.name[6:]): str(path)
        for folder in reversed(folders)
        for path in folder.glob("clang-[0-9]*")
        if path.name[6:].isdigit() and os.access(path, os.X_OK)
    }
    return numbered[max(numbered)] if numbered else None


def install_line(package: str) -> str:
    """Write the command that installs a package here; `linux` and `libbpf` mean their headers."""
    for manager, (command, names) in INSTALLERS.items():
        if shutil.which(manager):
            return f"{command} {names.get(package, package)}"
    return f"Install {package} with the package manager of this system."


def _no_compiler(message: str, subject: str) -> Finding:
    return Finding(
        "doctor.no_compiler",
        Severity.INFO,
        subject,
        message,
        install_line("clang"),
        "BPF programs are built with it; those that come with x0tta are built already.",
    )
