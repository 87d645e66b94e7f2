"""An order that sources contradict each other about: who can end that, and by what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.pay_world import TON_SHOP, world
from fakes.webhook import running_webhook

X0TTA = str(Path(sys.executable).with_name("x0tta"))
PRICE = 3_000_000_000
pytestmark = pytest.mark.slow


class Place:
    """A shop whose second source tells every amount of PRICE otherwise, until it is mended."""

    def __init__(self, served, state, hook) -> None:
        self.served, self.state, self.hook = served, state, hook
        fake = served.fakes["toncenter"]
        self._handle = fake.handle

        def another_amount(request):
            given = self._handle(request)
            content = given.content().replace(b'"%d"' % PRICE, b'"%d"' % (PRICE - 1))
            return type(given)(content, given.status, given.headers)

        fake.handle = another_amount

    def mend(self) -> None:
        self.served.fakes["toncenter"].handle = self._handle

    def pay(self, *words: str) -> tuple[int, object]:
        ended = subprocess.run(
            [X0TTA, "pay", *words, "--config", str(self.served.config), "-o", "json"],
            env=os.environ | {"X0TTA_STATE_DIR": str(self.state)},
            capture_output=True,
            check=False,
        )
        written = ended.stdout or ended.stderr.splitlines()[-1]
        return ended.returncode, json.loads(written)

    def order(self) -> dict:
        return self.pay("show", "N-1")[1]

    def told(self) -> list[str]:
        """What became of the alert about the order."""
        disagreements = [
            one for one in self.hook.taken.values() if one["name"] == "PaymentSourcesDisagree"
        ]
        return [one["action"] for one in disagreements]


@pytest.fixture
def place(tmp_path, state):
    with running_webhook() as hook, world(tmp_path, "tonapi", "toncenter") as served:
        with served.config.open("a") as file:
            file.write(f'\n[alert.channels.hook]\nkind = "webhook"\nurl = "{hook.url}"\n')
        made = Place(served, state, hook)
        made.pay("wallets", "add", "ton", TON_SHOP, "--name", "till")
        made.pay("expect", "add", "N-1", "3", "ton", "--valid-from", "-1h")
        made.tx = served.pay_ton(PRICE, "N-1")
        status, run = made.pay("reconcile")
        assert (status, run["orders"]) == (10, {"conflicting": 1})
        assert made.told() == ["fire"]
        yield made


def test_a_source_that_agrees_when_it_is_asked_again_ends_it(place):
    assert place.pay("verify", "N-1")[0] == 10
    place.mend()
    # A listing alone takes nothing back: whoever asks for a verdict gets the last word.
    assert place.pay("reconcile")[0] == 10
    status, verdict = place.pay("verify", "N-1")
    assert (status, verdict["state"], verdict["received"]) == (0, "paid", str(PRICE))
    assert sorted(verdict["evidence"][0]["sources"]) == ["toncenter", "tonapi"][::-1]
    assert place.pay("audit")[0] == 0
    assert place.pay("reconcile")[0] == 0
    assert place.told() == ["fire", "resolve"]


def test_a_source_that_contradicts_again_is_believed_no_more(place):
    broken = place.served.fakes["toncenter"].handle
    place.mend()
    assert place.pay("verify", "N-1")[0] == 0
    place.served.fakes["toncenter"].handle = broken
    asked = ("verify", "N-1", "--tx", place.tx)
    assert place.pay(*asked)[1]["state"] == "conflicting"
    place.mend()
    assert place.pay(*asked)[1]["state"] == "conflicting"
    assert place.pay("audit")[0] == 0


def test_who_has_sent_the_money_back_records_a_refund(place):
    assert place.pay("refund", "N-1", "--tx", "ee" * 32, "--yes")[0] == 0
    assert place.order()["state"] == "refunded"
    status, run = place.pay("reconcile")
    assert (status, run["orders"]) == (0, {"refunded": 1})
    assert place.told() == ["fire", "resolve"]
    assert place.pay("audit")[0] == 0


def test_who_gives_it_up_cancels_it_and_its_transfer_is_nobodys(place, tmp_path):
    assert place.pay("expect", "cancel", "N-1")[0] == 0
    order = place.order()
    assert (order["state"], order["received"]) == ("cancelled", "0")
    [evidence] = order["evidence"]
    assert (evidence["tx"], evidence["counted"]) == (place.tx, False)
    assert "toncenter: amount" in evidence["disputed"]
    assert [one["tx"] for one in place.pay("unmatched")[1]] == [place.tx]
    status, run = place.pay("reconcile")
    assert (status, run["orders"]) == (0, {"cancelled": 1})
    assert place.told() == ["fire", "resolve"]
    assert place.pay("verify", "N-1")[0] == 3
    assert place.pay("audit")[0] == 0
    journal = tmp_path / "income.beancount"
    assert place.pay("export", str(journal))[0] == 0
    assert "Income" not in journal.read_text()


def test_an_order_that_is_paid_is_not_cancelled(place):
    place.mend()
    assert place.pay("verify", "N-1")[0] == 0
    status, problem = place.pay("expect", "cancel", "N-1")
    assert (status, problem["code"]) == (5, "pay.has_evidence")
