"""The one HTTP client: bounded in time and size, patient with servers, silent about secrets."""

from __future__ import annotations

from x0tta_cli.core.http.client import Client
from x0tta_cli.core.http.connection import Trust
from x0tta_cli.core.http.response import Response

__all__ = ["Client", "Response", "Trust"]
