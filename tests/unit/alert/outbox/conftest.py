"""An outbox whose clock the test winds, with receivers on real sockets."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from fakes.http_server import Answer, Request, json_answer, serving

from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.drill.receiver import running_receiver


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Hook:
    """A receiver of webhooks: keeps what it took, and answers what the test wants."""

    url: str = ""
    status: int = 200
    words: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    refuses: str = ""
    taken: list[dict] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        body = request.json()
        if self.refuses and body["name"] == self.refuses:
            return json_answer(400, "no such alert")
        if self.status != 200:
            return Answer(self.status, self.words.encode(), self.headers)
        self.taken.append(body)
        return Answer(200)

    def told(self) -> list[tuple[str, str]]:
        return [(each["name"], each["action"]) for each in self.taken]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hook():
    hook = Hook()
    with serving(hook.answer) as hook.url:
        yield hook


@pytest.fixture
def other_hook():
    hook = Hook()
    with serving(hook.answer) as hook.url:
        yield hook


@pytest.fixture
def alertmanager():
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def open_outbox(state, clock):
    opened = []

    def make(channels: dict[str, str], **settings: object) -> Outbox:
        kinds = {
            name: (
                {"kind": "webhook", "url": url}
                if name.startswith("hook")
                else {"kind": "alertmanager", "urls": url.split()}
            )
            for name, url in channels.items()
        }
        model = AlertSettings.model_validate({"channels": kinds, **settings})
        opened.append(Outbox(model, 5.0, clock, clock.advance))
        return opened[-1]

    yield make
    for outbox in opened:
        outbox.close()


@pytest.fixture
def notice(clock):
    def make(name="HighLatency", severity="warning", labels=None, **annotations) -> Notice:
        return Notice(
            name,
            Severity(severity),
            {"component": "cart"} if labels is None else labels,
            datetime.fromtimestamp(clock.now - 60, UTC),
            annotations=annotations or {"summary": "slow"},
        )

    return make
