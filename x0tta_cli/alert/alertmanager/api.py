"""One Alertmanager, spoken to over its API v2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.settings import AlertmanagerChannel
from x0tta_cli.core.errors import NotFoundError, NotPermittedError, UnavailableError, UsageError
from x0tta_cli.core.http import Client, Response, Trust
from x0tta_cli.core.secrets import redact

Read = TypeVar("Read")

ALERTS_PATH = "/api/v2/alerts"
SILENCES_PATH = "/api/v2/silences"
# What 10,000 alerts with long annotations take.
MAX_BYTES = 64 * 1024 * 1024
# Beyond this an alert may be over when it comes, or begin in the future.
HARMFUL_SKEW = timedelta(seconds=30)
# Its own words for what it will never take.
NEVER_TAKEN = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence as Alertmanager has it."""

    id: str
    state: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


class Alertmanager:
    """One peer. Close it."""

    def __init__(self, url: str, settings: AlertmanagerChannel, timeout_s: float = 10.0) -> None:
        self.url = redact(url)
        self._client = Client(
            url,
            timeout_s=timeout_s,
            headers=_authorization(settings),
            retries=0,
            max_bytes=MAX_BYTES,
            trust=_trust(settings),
        )
        self._skew: timedelta | None = None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def skew(self) -> timedelta:
        """By how much this clock is ahead of the server's; asked for where nothing tells it yet.

        Before the first alert, not after: of two posts of one alert the earlier start stays.
        Raises as `post`.
        """
        if self._skew is None:
            self._skew = timedelta()
            self.status()
        return self._skew

    @property
    def correction(self) -> timedelta:
        """What is to be taken off this clock's times: nothing where it is nearly right."""
        return self.skew if abs(self.skew) > HARMFUL_SKEW else timedelta()

    def post(self, alerts: Sequence[Mapping[str, object]]) -> Response:
        """Post alerts, once, and compare the clocks; the answer is 200 or one of NEVER_TAKEN.

        Raises UnavailableError `alert.unavailable`, NotPermittedError `alert.not_permitted`, and
        what the client raises.
        """
        before = datetime.now(UTC)
        response = self._client.request("POST", ALERTS_PATH, json=list(alerts), idempotent=False)
        self._compare_clocks(response, before)
        if response.status != 200 and response.status not in NEVER_TAKEN:
            raise self._refused(response)
        return response

    def alerts(self, matchers: Sequence[str] = ()) -> list[wire.ListedAlert]:
        """List the alerts that are not over, silenced and inhibited ones too; raises as `post`."""
        return self._read(wire.listed, self._get(ALERTS_PATH, matchers))

    def silences(self, matchers: Sequence[str] = ()) -> list[Silence]:
        """List silences, past ones too; raises as `post`."""
        return self._read(_silences, self._get(SILENCES_PATH, matchers))

    def silence(self, silence: Mapping[str, object]) -> str:
        """Make a silence; gives its id. Raises UsageError `alert.bad_silence`, and as `post`."""
        response = self._client.request("POST", SILENCES_PATH, json=silence, idempotent=False)
        if response.status in NEVER_TAKEN:
            raise UsageError(
                "alert.bad_silence",
                f"{self.url} does not take the silence.",
                reason=f"It says: {words_of(response)}",
                fix="A silence needs one matcher at least that an empty label would not fulfil, "
                "and an end after its start.",
            )
        return str(self._read(lambda made: made["silenceID"], self._checked(response).json()))

    def expire_silence(self, identifier: str) -> None:
        """End a silence now; raises NotFoundError `alert.unknown_silence`, and as `post`."""
        response = self._client.request("DELETE", f"/api/v2/silence/{identifier}")
        if response.status in {404, 422} or (
            response.status == 500 and b"not found" in response.body
        ):
            raise NotFoundError(
                "alert.unknown_silence",
                f"{self.url} has no silence '{identifier}'.",
                reason=f"It says: {words_of(response)}",
                fix="x0tta alert silence list",
            )
        self._checked(response)

    def status(self) -> Mapping[str, Any]:
        """Ask for its version and cluster; raises as `post`."""
        before = datetime.now(UTC)
        response = self._checked(self._client.request("GET", "/api/v2/status"))
        self._compare_clocks(response, before)
        return dict(self._read(dict, response.json()))

    def _get(self, path: str, matchers: Sequence[str]) -> Any:
        # The parameter repeats, once for each matcher.
        query = "&".join(f"filter={_quoted(each)}" for each in matchers)
        return self._checked(
            self._client.request("GET", f"{path}?{query}" if query else path)
        ).json()

    def _read(self, read: Callable[[Any], Read], answer: Any) -> Read:
        try:
            return read(answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnavailableError(
                "alert.not_an_alertmanager",
                f"{self.url} answered with something that Alertmanager would not say.",
                reason=f"Reading it: {type(error).__name__}: {error}.",
                fix="See whether the URL is Alertmanager's own (with its --web.route-prefix).",
            ) from error

    def _checked(self, response: Response) -> Response:
        if response.status != 200:
            raise self._refused(response)
        return response

    def _refused(self, response: Response) -> UnavailableError | NotPermittedError:
        if response.status in {401, 403}:
            return NotPermittedError(
                "alert.not_permitted",
                f"{self.url} does not let us in: status {response.status}.",
                reason=f"It says: {words_of(response)}",
                fix="Correct username and password, or token, of the channel.",
                retryable=True,
                context={"url": self.url},
            )
        return UnavailableError(
            "alert.unavailable",
            f"{self.url} answered with status {response.status}.",
            reason=f"It says: {words_of(response)}",
            fix="See whether the URL is Alertmanager's own, and its log.",
            retryable=True,
            context={
                "url": self.url,
                "status": response.status,
                "retry_after_s": response.retry_after_s(datetime.now(UTC)),
            },
        )

    def _compare_clocks(self, response: Response, before: datetime) -> None:
        """Remember by how much this clock is ahead (RFC 9110, section 6.6.1: whole seconds)."""
        try:
            theirs = parsedate_to_datetime(response.headers.get("date", ""))
        except ValueError:
            return
        aware = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        middle = before + (datetime.now(UTC) - before) / 2
        self._skew = middle - (aware + timedelta(seconds=0.5))


def words_of(response: Response) -> str:
    """Give what the server said, shortened and without secrets."""
    return redact(response.text.strip().strip('"'))[:500] or f"status {response.status}"


def _authorization(settings: AlertmanagerChannel) -> dict[str, str]:
    if settings.token is not None:
        return {"authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.username is not None:
        from base64 import b64encode

        password = settings.password.get_secret_value() if settings.password else ""
        pair = b64encode(f"{settings.username}:{password}".encode()).decode()
        return {"authorization": f"Basic {pair}"}
    return {}


def _trust(settings: AlertmanagerChannel) -> Trust | None:
    if settings.ca_file is None and settings.certificate_file is None:
        return None
    return Trust(settings.ca_file, settings.certificate_file, settings.key_file)


def _silences(answer: Sequence[Mapping[str, Any]]) -> list[Silence]:
    return [
        Silence(
            id=str(silence["id"]),
            state=str(silence["status"]["state"]),
            matchers=tuple(_matcher(each) for each in silence["matchers"]),
            starts_at=datetime.fromisoformat(silence["startsAt"]),
            ends_at=datetime.fromisoformat(silence["endsAt"]),
            created_by=str(silence.get("createdBy", "")),
            comment=str(silence.get("comment", "")),
        )
        for silence in answer
    ]


def _matcher(matcher: Mapping[str, Any]) -> str:
    # `isEqual` came with 0.22; without it a matcher asks for equality.
    is_equal = matcher.get("isEqual", True)
    signs = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    return wire.matcher(
        matcher["name"], signs[bool(is_equal), bool(matcher["isRegex"])], matcher["value"]
    )


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
