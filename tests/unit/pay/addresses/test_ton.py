"""TON addresses: raw and user-friendly, flags, both alphabets, and no changed character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Address

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.addresses import parse, readable, ton
from x0tta_cli.pay.model import Chain, Network

RAW = "0:91d73056e035232f09aaf8242a1d51eea98b6a5bebbf8ac0c9e521d02a1a4bdb"
FRIENDLY = "EQCR1zBW4DUjLwmq-CQqHVHuqYtqW-u_isDJ5SHQKhpL2wQV"
TEST_ONLY = "kQCR1zBW4DUjLwmq-CQqHVHuqYtqW-u_isDJ5SHQKhpL27-f"
VECTORS = [
    (FRIENDLY, RAW),
    (RAW.upper(), RAW),
    (
        "UQBDWnKuRx7eqYtr5Kr9HdFGHnBsUyX_jsPGC/RO/K4BaVdu",
        "0:435a72ae471edea98b6be4aafd1dd1461e706c5325ff8ec3c60bf44efcae0169",
    ),
    (
        "Ef_tFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p3X-",
        "-1:ed1691307050047117b998b561d8de82d31fbf84910ced6eb5fc92e7485ef8a7",
    ),
    (
        "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs",
        "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe",
    ),
]
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
SAME = str.maketrans("-_", "+/")
hashes = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(("written", "raw"), VECTORS)
def test_every_form_leads_to_the_same_raw_address(written, raw):
    assert parse(Chain.TON, written) == raw


def test_flags_are_read_and_mean_no_other_address():
    assert ton.read(FRIENDLY) == ton.TonAddress(RAW, True, False)
    assert ton.read(TEST_ONLY) == ton.TonAddress(RAW, True, True)
    assert ton.read(readable(Chain.TON, RAW)) == ton.TonAddress(RAW, False, False)


def test_an_address_of_the_test_network_is_none_of_the_main_one():
    with pytest.raises(UsageError, match="not an address") as refused:
        parse(Chain.TON, TEST_ONLY)

    assert "test networks" in refused.value.reason
    assert parse(Chain.TON, TEST_ONLY, Network.TESTNET) == RAW
    assert readable(Chain.TON, RAW, Network.TESTNET).startswith("0Q")


@given(st.sampled_from([0, -1]), hashes, st.booleans(), st.booleans())
def test_an_address_survives_the_way_to_friendly_and_back(workchain, body, bounces, is_test):
    raw = f"{workchain}:{body.hex()}"
    written = ton.friendly(raw, is_bounceable=bounces, is_test_only=is_test)

    assert ton.read(written) == ton.TonAddress(raw, bounces, is_test)
    assert ton.read(written.translate(SAME)) == ton.read(written)
    peer = Address((workchain, body))
    assert written == peer.to_str(is_bounceable=bounces, is_test_only=is_test)


@given(hashes, st.integers(0, 47), st.sampled_from(BASE64))
def test_no_address_with_a_changed_character_is_accepted(body, place, character):
    written = ton.friendly(f"0:{body.hex()}", is_bounceable=True)
    changed = written[:place] + character + written[place + 1 :]

    if changed.translate(SAME) != written.translate(SAME):
        with pytest.raises(UsageError, match="not an address"):
            parse(Chain.TON, changed, Network.TESTNET)


@given(hashes, st.data())
def test_both_alphabets_may_be_mixed(body, data):
    written = ton.friendly(f"0:{body.hex()}", is_bounceable=False)
    mixed = "".join(
        data.draw(st.sampled_from([sign, sign.translate(SAME)])) if sign in "-_" else sign
        for sign in written
    )

    assert parse(Chain.TON, mixed) == f"0:{body.hex()}"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0:91d73056",
        "1:91d73056e035232f09aaf8242a1d51eea98b6a5bebbf8ac0c9e521d02a1a4bdb",
        "0x0:91d73056e035232f09aaf8242a1d51eea98b6a5bebbf8ac0c9e521d02a1a4bdb",
        FRIENDLY[:-1],
        f"{FRIENDLY}=",
        "ORDER-1",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        # A tag that no address has, with a checksum that fits.
        "AACR1zBW4DUjLwmq-CQqHVHuqYtqW-u_isDJ5SHQKhpL27L0",
    ],
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(UsageError) as refused:
        parse(Chain.TON, written)

    assert refused.value.code == "pay.bad_address"
