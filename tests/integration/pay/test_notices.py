"""What somebody has to know of reaches the channels of `alert`, through `reconcile` itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.chains import toncenter
from fakes.chains.server import Trouble
from fakes.chains.ton import TonLedger
from fakes.pay_world import TON_PAYER, TON_SHOP, world
from fakes.webhook import running_webhook

X0TTA = str(Path(sys.executable).with_name("x0tta"))


@pytest.fixture
def hook():
    with running_webhook() as receiver:
        yield receiver


@pytest.fixture
def shop(tmp_path, hook, state):
    """A wallet that tonapi reads, an order for it, and a channel for alerts."""
    with world(tmp_path, "tonapi") as served:
        with served.config.open("a") as file:
            file.write(f'\n[alert.channels.hook]\nkind = "webhook"\nurl = "{hook.url}"\n')

        def pay(*words):
            return subprocess.run(
                [X0TTA, "pay", *words, "--config", str(served.config), "-o", "json"],
                env=os.environ | {"X0TTA_STATE_DIR": str(state)},
                capture_output=True,
                check=False,
            )

        assert pay("wallets", "add", "ton", TON_SHOP, "--name", "till").returncode == 0
        assert pay("expect", "add", "N-1", "3", "ton", "--valid-from", "-1h").returncode == 0
        served.pay = pay
        yield served


def told(hook):
    return [(one["name"], one["action"]) for one in hook.taken.values()]


def test_a_wallet_that_nobody_reads_is_told_of_until_it_is_read_again(shop, hook):
    shop.fakes["tonapi"].trouble = Trouble(is_down=True)
    assert shop.pay("reconcile", "--timeout", "50s").returncode == 7
    [notice] = hook.taken.values()
    assert (notice["name"], notice["labels"]) == ("PaymentWalletUnread", {"wallet": "till"})
    assert shop.pay("wallets", "check").returncode == 3
    shop.fakes["tonapi"].trouble = None
    assert shop.pay("reconcile").returncode == 0
    assert told(hook) == [("PaymentWalletUnread", "fire"), ("PaymentWalletUnread", "resolve")]


def test_sources_that_contradict_each_other_are_told_of_with_both_answers(shop, hook):
    # The same transaction, in which another service has seen another amount.
    other = TonLedger()
    other.pay_ton(TON_PAYER, TON_SHOP, 2_999_999_999, "N-1")
    tx = shop.pay_ton(3_000_000_000, "N-1")
    with toncenter.serve(other) as second, shop.config.open("a") as file:
        file.write(f'\n[pay.sources.second]\nkind = "toncenter"\nbase_url = "{second.url}"\n')
        file.flush()
        ended = shop.pay("reconcile")
        assert ended.returncode == 10
        assert json.loads(ended.stdout)["orders"] == {"conflicting": 1}
        verdict = shop.pay("verify", "N-1")
    assert verdict.returncode == 10
    [evidence] = json.loads(verdict.stdout)["evidence"]
    assert (evidence["tx"], evidence["amount"]) == (tx, "3000000000")
    assert "2999999999" in evidence["disputed"]
    [notice] = [one for one in hook.taken.values() if one["name"] == "PaymentSourcesDisagree"]
    assert notice["labels"] == {"order": "N-1"}
    assert "2999999999" in json.dumps(notice)


def test_a_broken_alert_section_is_found_before_anything_is_read(shop):
    shop.config.write_text(shop.config.read_text().replace('kind = "webhook"', 'kind = "pigeon"'))
    assert shop.pay("reconcile").returncode == 9
    assert shop.fakes["tonapi"].requests == []
