"""Certificates made by openssl: an authority of one's own, and what it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path


def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in a folder."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder: Path, **alternatives: str) -> Path:
    """Write `ca.pem`, and for each name one that it has signed for a subject alternative name."""
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    # From Python 3.13 on an authority has to say that it is one.
    signs = ("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-subj", "/CN=ca")
    openssl(folder, "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", *signs)
    for name, alternative in alternatives.items():
        openssl(
            folder, "req", "-x509", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=CA:FALSE",
        )  # fmt: skip
    return folder
