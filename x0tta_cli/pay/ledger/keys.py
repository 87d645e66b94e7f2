"""Under which keys orders wait, so that each new one gets a key that tells it from all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.core.errors import ConflictError
from x0tta_cli.pay.ledger.tables import ORDERS
from x0tta_cli.pay.matching import ANY_KEY, LARGEST_OFFSET, windows_overlap

Window = tuple[int, int | None]
ASKED_AT_ONCE = 200


class Keys:
    """The keys that are taken, in the ledger and by the orders that are being added.

    Only within `writing`: nobody else takes a key meanwhile, on whichever machine.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Where the search for a free amount goes on, by wallet and amount that was asked for.
        self._offsets: dict[tuple[int, int], int] = {}
        self._windows: dict[tuple[int, str], list[Window]] = {}
        # Keys that anybody was ever told, of cancelled orders as well.
        self._asked: set[tuple[int, str]] = set()

    def load(self, wallet: int, keys: Iterable[str]) -> None:
        """Read who waits under some keys; keys that are read already stay as they are."""
        missing = [key for key in set(keys) if (wallet, key) not in self._windows]
        if not missing:
            return
        self._windows.update({(wallet, key): [] for key in missing})
        columns = (
            ORDERS.c.match_key,
            ORDERS.c.valid_from,
            ORDERS.c.valid_until,
            ORDERS.c.cancelled_at,
        )
        where = (ORDERS.c.wallet == wallet, ORDERS.c.match_key.in_(missing))
        for key, start, end, cancelled_at in self._connection.execute(
            sa.select(*columns).where(*where)
        ):
            self._asked.add((wallet, key))
            if cancelled_at is None:
                self._windows[wallet, key].append((start, end))

    def forget(self) -> None:
        """Forget what was read: what was added since is in the ledger."""
        self._windows.clear()
        self._asked.clear()

    def take(self, wallet: int, key: str, window: Window, order: str) -> None:
        """Take a key for a window; ConflictError `pay.key_taken` where somebody waits under it."""
        # Whoever takes any transfer of a wallet leaves none for others, and the other way round.
        self.load(wallet, (key, ANY_KEY))
        if not (self._is_free(wallet, key, window) and self._is_free(wallet, ANY_KEY, window)):
            raise _taken(key, order)
        if key == ANY_KEY and self._has_others(wallet, window):
            raise _taken(key, order)
        self._windows[wallet, key].append(window)
        self._asked.add((wallet, key))

    def free_amount(self, wallet: int, wanted: int, window: Window, order: str) -> int:
        """Hand out an amount from `wanted` on that no other order of the wallet waits for.

        One that was never asked for goes first: whoever was asked for another may still pay it.
        Raises ConflictError `pay.no_free_amount`.
        """
        start = self._offsets.get((wallet, wanted), 0)
        for amount in self._amounts(wallet, wanted, start):
            if (wallet, f"a:{amount}") not in self._asked:
                self._offsets[wallet, wanted] = amount - wanted + 1
                return amount
        for amount in self._amounts(wallet, wanted, 0):
            if self._is_free(wallet, f"a:{amount}", window):
                return amount
        raise ConflictError(
            "pay.no_free_amount",
            f"No amount is free for '{order}'.",
            reason="Each order without a memo needs an amount of its own in its wallet, and "
            f"{LARGEST_OFFSET + 1} orders wait there for about as much.",
            fix="Cancel orders that nobody will pay, give them an end, or add another wallet.",
            context={"order": order},
        )

    def _amounts(self, wallet: int, wanted: int, start: int) -> Iterator[int]:
        for offset in range(start, LARGEST_OFFSET + 1, ASKED_AT_ONCE):
            end = min(offset + ASKED_AT_ONCE, LARGEST_OFFSET + 1)
            amounts = range(wanted + offset, wanted + end)
            self.load(wallet, (f"a:{amount}" for amount in amounts))
            yield from amounts

    def _is_free(self, wallet: int, key: str, window: Window) -> bool:
        return not any(windows_overlap(window, held) for held in self._windows[wallet, key])

    def _has_others(self, wallet: int, window: Window) -> bool:
        own = (
            held
            for (one, _), all_held in self._windows.items()
            if one == wallet
            for held in all_held
        )
        stored = self._connection.execute(
            sa.select(ORDERS.c.valid_from, ORDERS.c.valid_until).where(
                ORDERS.c.wallet == wallet, ORDERS.c.cancelled_at.is_(None)
            )
        )
        windows = [*own, *((row[0], row[1]) for row in stored)]
        return any(windows_overlap(window, held) for held in windows)


def _taken(key: str, order: str) -> ConflictError:
    return ConflictError(
        "pay.key_taken",
        f"'{order}' could not be told from another order.",
        reason="Another order waits in the same wallet and time for "
        f"{'any transfer' if key == ANY_KEY else repr(key[2:])}.",
        fix="Give it another memo or amount, or a wallet or window of its own.",
        context={"order": order},
    )
