"""Amounts: decimal strings for people, integers in the smallest unit for everything else."""

from __future__ import annotations

import re

from x0tta_cli.core.errors import UsageError

# What a database's 64-bit integer holds. More than there is of any asset that we take.
LARGEST = 2**63 - 1
_WRITTEN = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


def parse_amount(written: object, decimals: int) -> int:
    """Read a decimal string such as `12.5` in whole units; the result counts smallest units.

    Digits and at most one point, nothing else: no sign, exponent, separator, prefix or leading
    zero, no more decimals than the asset has, more than zero. Numbers are refused, since 0.1 is
    already another number when it arrives as a float. Raises UsageError `pay.bad_amount`.
    """
    if not isinstance(written, str):
        raise _bad_amount(written, "It has to be text in quotes: a number can lose digits.")
    found = _WRITTEN.fullmatch(written) if len(written) <= 64 else None
    if found is None:
        raise _bad_amount(written, "It should be digits, with at most one point between them.")
    whole, fraction = found[1], found[2] or ""
    if len(fraction) > decimals:
        raise _bad_amount(written, f"It has more than {decimals} digits behind the point.")
    amount = int(whole + fraction.ljust(decimals, "0"))
    if amount == 0:
        raise _bad_amount(written, "It has to be more than zero.")
    if amount > LARGEST:
        raise _bad_amount(written, "There is not so much of it in the world.")
    return amount


def format_amount(amount: int, decimals: int) -> str:
    """Write smallest units as a decimal string in whole units, exactly: `12.5`, `-0.000001`."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), 10**decimals)
    fraction = str(rest).rjust(decimals, "0").rstrip("0") if rest else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _bad_amount(written: object, reason: str) -> UsageError:
    return UsageError(
        "pay.bad_amount",
        f"{str(written)[:80]!r} is not an amount.",
        reason=reason,
        fix="Write it in whole units, as '12.5'.",
        context={"value": str(written)[:80]},
    )
