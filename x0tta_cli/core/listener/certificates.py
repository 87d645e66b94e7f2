"""The certificates that a listener shows, and those that it asks for."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.files import reading_errors


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key in PEM; with `client_authorities` clients have to show a certificate."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


def context_of(tls: TlsFiles | None) -> ssl.SSLContext | None:
    """Make what speaks TLS with these files; raises as `load`."""
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load(context, tls)
    return context


def load(context: ssl.SSLContext, tls: TlsFiles) -> None:
    """Read the certificates, also anew: connections that stand keep the old ones.

    Raises UsageError `listener.bad_certificate`, and as `files.reading_errors`.
    """
    for path in (tls.certificate, tls.key, tls.client_authorities):
        if path is not None:
            with reading_errors(path), path.open("rb"):
                pass
    try:
        # A password that is asked for would wait on a terminal that nobody sits at.
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        if tls.client_authorities is not None:
            context.load_verify_locations(tls.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            "listener.bad_certificate",
            f"The certificate {tls.certificate} and its key can't be used.",
            reason=f"{error}.",
            fix=f"See openssl x509 -in {tls.certificate} -noout -text; the key must be its own "
            "and have no password.",
            context={"certificate": str(tls.certificate), "key": str(tls.key)},
        ) from None
