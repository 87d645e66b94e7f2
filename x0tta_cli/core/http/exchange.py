"""One request and its attempts, held to one deadline."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from x0tta_cli.core.errors import OperatorError, UnavailableError
from x0tta_cli.core.http.response import Response
from x0tta_cli.core.secrets import redact

if TYPE_CHECKING:
    import httpx

Result = TypeVar("Result")


class Exchange:
    """A request on its way.

    httpx bounds the single steps of an attempt, but neither the look-up of names nor a server
    that sends a byte now and then. So each attempt runs in a thread of its own, which is left
    behind when the time is over and sends nothing afterwards.
    """

    def __init__(
        self, client: httpx.Client, request: httpx.Request, *, timeout_s: float, max_bytes: int
    ) -> None:
        self.url = redact(str(request.url))
        self._client, self._request = client, request
        self._timeout_s, self._max_bytes = timeout_s, max_bytes
        self._deadline = time.monotonic() + timeout_s

    def remaining_s(self) -> float:
        """Tell how much of the time is left."""
        return self._deadline - time.monotonic()

    def pause(self, duration_s: float) -> None:
        """Wait; raises `http.timed_out` at once where that takes longer than is left."""
        if duration_s >= self.remaining_s():
            raise self._timed_out("Waiting for its turn would take longer.")
        # Sleeping for no time at all still gives the processor away.
        if duration_s > 0:
            time.sleep(duration_s)

    def attempt(self, number: int) -> Response | OperatorError:
        """Send the request once; what became of it, an error included."""
        try:
            return _within(self.remaining_s(), lambda: self._send(number))
        except TimeoutError:
            self._deadline = -math.inf
            return self._timed_out("The server has not answered in full.")
        except BaseException:
            # Ctrl-C: the thread must not go on to send what the operator has stopped.
            self._deadline = -math.inf
            raise

    def _send(self, number: int) -> Response | OperatorError:
        import httpx

        self._request.extensions = {
            "timeout": httpx.Timeout(max(0.001, self.remaining_s())).as_dict(),
            "trace": self._refuse_when_late,
        }
        try:
            answer = self._client.send(self._request, stream=True)
            try:
                body = self._read(answer)
            finally:
                answer.close()
        except httpx.TimeoutException:
            return self._timed_out("The server has not answered.")
        except httpx.HTTPError as error:
            return self._unreachable(error)
        except OperatorError as error:
            return error
        return Response(answer.status_code, dict(answer.headers), body, self.url, number)

    def _read(self, answer: httpx.Response) -> bytes:
        announced = answer.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:18]) > self._max_bytes:
            raise self._too_large()
        chunks, size = [], 0
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise self._too_large()
            if self.remaining_s() <= 0:
                raise self._timed_out("The server has not answered in full.")
            chunks.append(chunk)
        return b"".join(chunks)

    def _refuse_when_late(self, event: str, _details: object) -> None:
        """Stop the attempt before it connects or sends, where the time is over.

        Events: https://www.encode.io/httpcore/extensions/#trace
        """
        import httpx

        if self.remaining_s() <= 0 and ("connect_" in event or "send_request" in event):
            raise httpx.WriteTimeout("The time is over.")

    def _timed_out(self, reason: str) -> UnavailableError:
        return UnavailableError(
            "http.timed_out",
            f"{self._name} took longer than {self._timeout_s:g} s.",
            reason=reason,
            fix="Give it more time with --timeout, or see whether the server is well.",
            retryable=True,
            context={"url": self.url, "timeout_s": self._timeout_s},
        )

    def _unreachable(self, error: httpx.HTTPError) -> UnavailableError:
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
        return UnavailableError(
            "http.unreachable",
            f"{self._name} had no answer.",
            reason=f"{reason}.",
            fix="See whether the server runs and whether this machine may reach it.",
            # The same certificate will be refused again.
            retryable="CERTIFICATE_VERIFY_FAILED" not in reason,
            context={"url": self.url},
        )

    def _too_large(self) -> UnavailableError:
        return UnavailableError(
            "http.too_large",
            f"{self._name} was answered with more than {self._max_bytes} bytes.",
            reason="No answer of this size is expected there; the rest was not read.",
            fix="See whether the URL is the service's own, or ask for less.",
            context={"url": self.url, "max_bytes": self._max_bytes},
        )

    @property
    def _name(self) -> str:
        return f"{self._request.method} {self.url}"


def _within(duration_s: float, work: Callable[[], Result]) -> Result:
    """Run `work` in a thread; raises TimeoutError when it takes longer, and leaves it behind."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            future.set_exception(error)

    threading.Thread(target=run, name="x0tta-http", daemon=True).start()
    return future.result(max(0.0, duration_s))
