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


# openssl writes only certificates that are still valid, but for its command that keeps an index.
_INDEXED = """\
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = subject
x509_extensions = extensions
[subject]
commonName = supplied
[extensions]
subjectAltName = {alternative}
"""


def make_expired(folder: Path, name: str, key: str, alternative: str) -> None:
    """Write `NAME.pem`, signed by `make_authority`'s authority, which has run out years ago."""
    (folder / "ca.conf").write_text(_INDEXED.format(alternative=alternative))
    (folder / "index.txt").touch()
    openssl(folder, "req", "-new", "-key", key, "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(
        folder, "ca", "-batch", "-config", "ca.conf", "-rand_serial", "-in", f"{name}.csr",
        "-cert", "ca.pem", "-keyfile", "ca.key", "-out", f"{name}.pem", "-notext",
        "-startdate", "20200101000000Z", "-enddate", "20200102000000Z",
    )  # fmt: skip
