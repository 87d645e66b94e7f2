"""`alert test` through real servers: how far each confirms, and that nothing is left open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time

import pytest
from fakes import secrets_used
from fakes.bot_api import running_bot_api
from fakes.http_server import Answer, serving
from fakes.pagerduty import ROUTING_KEY, running_pagerduty
from fakes.smtp import running_post
from fakes.webhook import running_webhook

from .conftest import X0TTA

pytestmark = pytest.mark.slow

TOKEN = secrets_used.canary("chat")


class Machine:
    """Runs `x0tta alert` with a configuration of the test's own."""

    def __init__(self, folder, state):
        self.file = folder / "alert.toml"
        self.environment = os.environ | {"X0TTA_STATE_DIR": str(state), "TZ": "UTC"}

    def configure(self, *channels: str) -> None:
        secrets_used.plant(self.file, "\n".join(channels))

    def line(self, *arguments: str) -> list[str]:
        return [X0TTA, "alert", *arguments, "--config", str(self.file)]

    def run(self, *arguments: str, **variables: str):
        ended = subprocess.run(
            self.line(*arguments),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=self.environment | variables,
        )
        secrets_used.heard(f"{arguments}", ended.stdout + ended.stderr)
        return ended


@pytest.fixture
def machine(tmp_path, state):
    return Machine(tmp_path, state)


def am(*urls, name="am"):
    listed = ", ".join(f'"{url}"' for url in urls)
    return f'[alert.channels.{name}]\nkind = "alertmanager"\nurls = [{listed}]\n'


def mail(post, *to):
    listed = ", ".join(f'"{each}"' for each in to or ("ops@example.org",))
    return (
        f'[alert.channels.mail]\nkind = "email"\nhost = "{post.host}"\nport = {post.port}\n'
        f'security = "none"\nfrom = "alerts@example.org"\nto = [{listed}]\n'
    )


def hook(url, name="hook"):
    return f'[alert.channels.{name}]\nkind = "webhook"\nurl = "{url}"\n'


CHAT = '[alert.channels.chat]\nkind = "apprise"\nurl = { env = "CHAT" }\n'


def test_every_channel_says_how_far_it_confirms_and_nothing_stays_open(machine, alertmanager):
    posted = []

    def answer(request):
        posted.append(request.json())
        return Answer(200)

    with running_post() as post, running_webhook() as receiver, serving(answer) as chat:
        machine.configure(am(alertmanager.url), mail(post), hook(receiver.url), CHAT)
        url = f"json://{chat.removeprefix('http://')}/{TOKEN}"
        ended = machine.run("test", "-o", "json", CHAT=url)
    assert ended.returncode == 0, ended.stderr
    tests = json.loads(ended.stdout)["tests"]
    assert {(each["channel"], each["state"], each["resolved"]) for each in tests} == {
        ("am", "visible", True),
        ("mail", "handed_on", True),
        ("hook", "acknowledged", True),
        ("chat", "handed_on", True),
    }
    assert all(each["latency_ms"] > 0 for each in tests)
    assert "X0ttaTest" not in alertmanager.names()
    subjects = [str(taken.mail["Subject"]) for taken in post.taken]
    assert [subject.split()[0] for subject in subjects] == ["[INFO]", "[RESOLVED]"]
    assert "This is a test of the alert channel 'mail'" in subjects[0]
    assert [each["action"] for each in receiver.taken.values()] == ["fire", "resolve"]
    assert [each["type"] for each in posted] == ["info", "success"]
    # It passes the outbox by: nothing is open, and nothing waits.
    assert not (machine.file.parent / "state").exists()


BOT_TOKEN = f"987654321:{secrets_used.canary('telegram-bot-0123456789')}"


def test_telegram_and_pagerduty_confirm_as_far_as_they_can(machine):
    with running_bot_api(BOT_TOKEN) as api, running_pagerduty() as page:
        chat = api.add_group()
        machine.configure(
            f'[alert.channels.chat]\nkind = "telegram"\nbase_url = "{api.base_url}"\n'
            f'chat_id = {chat}\ntoken = {{ env = "BOT" }}\n',
            f'[alert.channels.page]\nkind = "pagerduty"\nbase_url = "{page.base_url}"\n'
            'routing_key = { env = "PAGE" }\n',
        )
        ended = machine.run("test", "-o", "json", BOT=BOT_TOKEN, PAGE=ROUTING_KEY)
        assert ended.returncode == 0, ended.stderr
        tests = {each["channel"]: each for each in json.loads(ended.stdout)["tests"]}
        assert {name: each["state"] for name, each in tests.items()} == {
            "chat": "acknowledged",
            "page": "accepted",
        }
        assert "This is a test of the alert channel 'chat'" in api.texts(chat)[0]
        [alert] = page.alerts
        assert alert.actions() == ["trigger", "resolve"]
        assert page.open_alerts() == []
        wrong = machine.run("test", "-o", "json", BOT="1:wrong", PAGE="0" * 32)
    assert wrong.returncode == 3
    assert {each["state"] for each in json.loads(wrong.stdout)["tests"]} == {"rejected"}


def test_what_is_wrong_is_told_in_the_servers_words_with_status_3(machine, alertmanager):
    with running_post() as post, running_webhook() as receiver:
        post.refuses["gone@example.org"] = "550 5.1.1 no such user"
        receiver.answers.append(Answer(422, b"what is this?"))
        machine.configure(
            am(alertmanager.url, "http://127.0.0.1:9"),
            mail(post, "ops@example.org", "gone@example.org"),
            hook(receiver.url),
            CHAT,
        )
        ended = machine.run("test", "-o", "json", CHAT=f"nosuch://{TOKEN}")
    assert ended.returncode == 3
    tests = {(each["channel"], each["peer"]): each for each in json.loads(ended.stdout)["tests"]}
    states = {place: each["state"] for place, each in tests.items()}
    assert states == {
        ("am", alertmanager.url): "visible",
        ("am", "http://127.0.0.1:9"): "unreachable",
        ("mail", "ops@example.org"): "handed_on",
        ("mail", "gone@example.org"): "rejected",
        ("hook", receiver.url.partition("/hooks")[0]): "rejected",
        ("chat", ""): "rejected",
    }
    assert tests["mail", "gone@example.org"]["detail"] == "550 5.1.1 no such user"
    assert "422 what is this?" in tests["hook", receiver.url.partition("/hooks")[0]]["detail"]
    assert "Connection refused" in tests["am", "http://127.0.0.1:9"]["detail"]
    assert "apprise can't use the URL" in tests["chat", ""]["detail"]
    assert "X0ttaTest" not in alertmanager.names()


def test_one_channel_alone_and_a_plan(machine, alertmanager):
    with running_webhook() as receiver:
        machine.configure(am(alertmanager.url), hook(receiver.url))
        planned = machine.run("test", "--dry-run", "--exit-code", "-o", "json")
        assert planned.returncode == 3
        assert json.loads(planned.stdout)["channels"] == ["am", "hook"]
        assert receiver.taken == {}
        ended = machine.run("test", "--channel", "hook", "-o", "json")
    assert [each["channel"] for each in json.loads(ended.stdout)["tests"]] == ["hook"]
    unknown = machine.run("test", "--channel", "hok", "-o", "json")
    assert unknown.returncode == 9
    assert json.loads(unknown.stderr)["code"] == "alert.unknown_channel"
    assert machine.run("test", "--read-only").returncode == 6


def test_channels_are_tried_side_by_side_and_a_silent_one_does_not_hold_up_the_others(machine):
    silent = threading.Event()

    def wait(_request):
        silent.wait(60)
        return Answer(200)

    with running_webhook() as receiver, serving(wait) as slow:
        machine.configure(hook(slow, "slow"), hook(slow, "slower"), hook(receiver.url))
        ended = machine.run("test", "--within", "9s", "-o", "json")
        silent.set()
    tests = {each["channel"]: each for each in json.loads(ended.stdout)["tests"]}
    assert ended.returncode == 3
    assert {name: each["state"] for name, each in tests.items()} == {
        "slow": "unreachable",
        "slower": "unreachable",
        "hook": "acknowledged",
    }


def test_ctrl_c_leaves_nothing_open(machine, alertmanager):
    """Interrupted while one channel hangs: the test that was opened elsewhere is over."""
    asked, silent = threading.Event(), threading.Event()

    def wait(_request):
        asked.set()
        silent.wait(60)
        return Answer(200)

    with serving(wait) as slow:
        machine.configure(am(alertmanager.url), hook(slow, "slow"))
        process = subprocess.Popen(
            machine.line("test", "--within", "15s"),
            env=machine.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
        silent.set()
    assert process.returncode == 130, errors
    assert "ending the tests that were opened" in errors
    assert "X0ttaTest" not in alertmanager.names()


def test_ctrl_c_between_telling_and_ending_still_ends(machine):
    """The server takes the opening slowly: the signal comes when it has it, before the end."""
    taken, asked = [], threading.Event()

    def answer(request):
        action = request.json()["action"]
        taken.append(action)
        if action == "fire":
            asked.set()
            time.sleep(1)
        return Answer(200)

    with serving(answer) as url:
        machine.configure(hook(url))
        process = subprocess.Popen(
            machine.line("test", "--within", "40s"),
            env=machine.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130
    assert taken == ["fire", "resolve"]


def test_a_damaged_outbox_is_a_warning(machine, state):
    state.mkdir()
    (state / "journal.sqlite3").write_bytes(b"no database" * 1000)
    with running_webhook() as receiver:
        machine.configure(hook(receiver.url))
        ended = machine.run("test", "-o", "json")
    assert ended.returncode == 0, ended.stderr
    assert "the outbox can't be read" in ended.stderr


def test_debug_shows_no_secret_of_any_channel(machine):
    with serving(lambda _: Answer(500, b"no")) as url:
        address = url.removeprefix("http://")
        machine.configure(CHAT, hook(f"http://{address}/{TOKEN}"))
        ended = machine.run("test", "--debug", CHAT=f"json://u:{TOKEN}@{address}/{TOKEN}")
    assert ended.returncode == 3
    assert "hunter" not in ended.stdout + ended.stderr
