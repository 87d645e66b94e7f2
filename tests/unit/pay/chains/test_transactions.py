"""Transaction ids as people paste them."""

from __future__ import annotations

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.chains.transactions import parse_transaction
from x0tta_cli.pay.model import Chain

HEX = "fe7fe7159e35e6cce9639fffa54c73a1450f97dfdf3d85bf34e1697bef6a9d28"
BASE64 = "/n/nFZ415szpY5//pUxzoUUPl9/fPYW/NOFpe+9qnSg="


@pytest.mark.parametrize(
    "written",
    [
        HEX,
        HEX.upper(),
        f"0x{HEX}",
        f" {HEX}\n",
        BASE64,
        BASE64.rstrip("="),
        BASE64.translate(str.maketrans("+/", "-_")),
    ],
)
def test_each_form_is_the_same_transaction(written):
    assert parse_transaction(Chain.TON, written) == HEX


@pytest.mark.parametrize("written", ["ORDER-1", "", HEX[:-1], f"{HEX}0", BASE64, "fe7f\u202e"])
def test_an_order_id_where_a_hash_is_meant_is_refused(written):
    with pytest.raises(UsageError) as refused:
        parse_transaction(Chain.TRON, written)

    assert refused.value.code == "pay.bad_transaction_id"
    assert "order's id" in refused.value.fix
