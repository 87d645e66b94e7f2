"""Asks one Prometheus server, within its bounds and our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import (
    NotPermittedError,
    OperatorError,
    UnavailableError,
    UsageError,
)
from x0tta_cli.core.http import Client, Response
from x0tta_cli.telemetry.prometheus.answers import (
    Labels,
    read_matrix,
    read_messages,
)
from x0tta_cli.telemetry.prometheus.grid import Grid

RANGE_PATH = "/api/v1/query_range"
METADATA_PATH = "/api/v1/metadata"
# Prometheus: "exceeded maximum resolution of 11,000 points per timeseries".
MAX_POINTS = 11_000
# 256 MiB of float64.
MAX_VALUES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The series of one expression on a grid: float64[grid.size] each, NaN where no point is."""

    series: Mapping[Labels, NDArray[np.float64]]
    warnings: tuple[str, ...]


def ask_range(client: Client, expression: str, grid: Grid, *, room: int = MAX_VALUES) -> Matrix:
    """Evaluate an expression at each instant of the grid, in as many requests as it takes.

    A request asks for 11,000 instants at most, and for fewer where the answer would be larger than
    `client` takes; `room` is how many values may be held. Raises UsageError `telemetry.bad_query`,
    `telemetry.native_histogram` and `telemetry.too_many_values`; NotPermittedError
    `telemetry.prometheus_denied`; UnavailableError `telemetry.prometheus_failed`,
    `telemetry.unreadable_answer`, and what the client raises.
    """
    series: dict[Labels, NDArray[np.float64]] = {}
    warnings: dict[str, None] = {}
    for position, part, document in _ask_in_parts(client, expression, grid):
        warnings.update(dict.fromkeys(read_messages(document)))
        try:
            for one in read_matrix(document.get("data"), expression):
                if one.labels not in series:
                    if (len(series) + 1) * grid.size > room:
                        raise too_many_values(len(series) + 1, grid.size)
                    series[one.labels] = np.full(grid.size, np.nan)
                series[one.labels][position + part.places(one.instants)] = one.values
        except ValueError as error:
            raise unreadable(client, str(error)) from None
    return Matrix(series, tuple(warnings))


def ask_type(client: Client, metric: str) -> str | None:
    """Tell a metric's type ("counter", "gauge", …); None where the server does not know it.

    Types are what targets said when they were scraped last: those of a target that is gone, and
    those of a long-term store, are not known. Raises what `ask_range` raises.
    """
    response = client.request("GET", METADATA_PATH, params={"metric": metric, "limit": "1"})
    # Long-term stores do not all have the endpoint.
    if response.status in {404, 405, 501}:
        return None
    data = _document(client, response).get("data")
    entries = data.get(metric) if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        return None
    return str(entries[0].get("type"))


def unreadable(client: Client, reason: str) -> UnavailableError:
    """Word that an answer is not one of Prometheus."""
    return UnavailableError(
        "telemetry.unreadable_answer",
        f"{client.base_url} did not answer as Prometheus does.",
        reason=reason,
        fix="Give the URL that stands before /api/v1, with its prefix where it has one.",
        context={"url": client.base_url},
    )


def _ask_in_parts(
    client: Client, expression: str, grid: Grid
) -> Iterator[tuple[int, Grid, dict[str, Any]]]:
    position, size = 0, MAX_POINTS
    while position < grid.size:
        part = grid.part(position, size)
        try:
            response = client.request(
                "GET", RANGE_PATH, params={"query": expression, **part.params()}
            )
        except UnavailableError as error:
            if error.code != "http.too_large" or part.size == 1:
                raise
            size = part.size // 2
            continue
        yield position, part, _document(client, response, expression)
        position += part.size


def _document(client: Client, response: Response, expression: str = "") -> dict[str, Any]:
    status = response.status
    document = _json(response)
    if status in {401, 403}:
        raise _denied(client, status)
    if status == 200 and document.get("status") == "success":
        return document
    text, kind = document.get("error"), document.get("errorType")
    if status in {400, 422} and isinstance(text, str):
        raise _bad_query(expression, status, text)
    if status == 429 or status >= 500 or isinstance(text, str):
        # A proxy in between has no words of Prometheus.
        said = f"{kind}: {text}" if isinstance(text, str) else response.text.strip()
        raise _failed(client, status, said)
    raise unreadable(client, f"Status {status}: {response.text.strip()[:200]!r}.")


def _json(response: Response) -> dict[str, Any]:
    try:
        document = response.json()
    except OperatorError:
        return {}
    return document if isinstance(document, dict) else {}


def too_many_values(series: int, instants: int) -> UsageError:
    """Word that a reading would not fit into the memory that is meant for it."""
    return UsageError(
        "telemetry.too_many_values",
        f"{series} series or more at {instants} instants are too many values.",
        reason=f"At most {MAX_VALUES} are held at once.",
        fix="Sum the series up by node, or ask for a shorter time or a longer step.",
        context={"series": series, "instants": instants},
    )


def _bad_query(expression: str, status: int, text: str) -> UsageError:
    return UsageError(
        "telemetry.bad_query",
        f"Prometheus does not evaluate {expression[:200]!r}.",
        reason=f"{text} (status {status})",
        fix="Correct the expression; `promtool query instant URL EXPRESSION` tries one.",
        context={"expression": expression, "status": status},
    )


def _denied(client: Client, status: int) -> NotPermittedError:
    return NotPermittedError(
        "telemetry.prometheus_denied",
        f"{client.base_url} does not let x0tta read.",
        reason=f"Status {status}.",
        fix="Give a token or a password that may query.",
        context={"url": client.base_url, "status": status},
    )


def _failed(client: Client, status: int, said: str) -> UnavailableError:
    return UnavailableError(
        "telemetry.prometheus_failed",
        f"{client.base_url} could not answer.",
        reason=f"{said[:300]} (status {status})" if said else f"Status {status}.",
        fix="Try again later, or ask for a shorter time; see the server's log.",
        retryable=True,
        context={"url": client.base_url, "status": status},
    )
