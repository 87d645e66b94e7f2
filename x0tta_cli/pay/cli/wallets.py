"""`x0tta pay`: the wallets that are ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from x0tta_cli.core.errors import ExitStatus
from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.orders import Wallet
from x0tta_cli.terminal.command import App, Block, Cell, Column, Table, Text, session

wallets = App("Say which wallets are ours, and whether they are read.")
app.add_typer(wallets, name="wallets")


@dataclass(frozen=True, slots=True)
class ListedWallet:
    """A wallet of ours."""

    name: str
    asset: str
    address: str


@dataclass(frozen=True, slots=True)
class WalletCheck:
    """Up to when a wallet is read by a source."""

    wallet: str
    source: str
    read_until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class WalletChecks:
    """All wallets with all sources."""

    checks: tuple[WalletCheck, ...]

    @property
    def rows(self) -> tuple[WalletCheck, ...]:
        """A line for each pair."""
        return self.checks

    @property
    def exit_status(self) -> ExitStatus:
        """A wallet that some source reads in time is well."""
        well = {one.wallet for one in self.checks if one.state == "ok"}
        is_well = all(one.wallet in well for one in self.checks)
        return ExitStatus.DONE if is_well else ExitStatus.NO


@wallets.command(
    changes_world=True,
    view=lambda wallet: [Text(f"{wallet.name} is ours: {wallet.asset} at {wallet.address}.")],
    examples=[
        "x0tta pay wallets add usdt-trc20 TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK --name shop",
        "x0tta pay wallets add ton EQCR1zBW4DUjLwmq-CQqHVHuqYtqW-u_isDJ5SHQKhpL2wQV",
    ],
)
def add(
    asset: Annotated[str, typer.Argument(help="usdt-trc20, ton or usdt-ton.")],
    address: Annotated[str, typer.Argument(help="In any form; its checksum is verified.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="How you call it.")] = "",
) -> ListedWallet:
    """Say that an asset at an address is ours."""
    from x0tta_cli.core import extras
    from x0tta_cli.pay import addresses
    from x0tta_cli.pay.assets import find_asset

    extras.require("pay")
    found = find_asset(asset)
    canonical = addresses.parse(found.chain, address, found.network)
    if session().dry_run:
        return ListedWallet(name or "it", asset, canonical)
    from x0tta_cli.pay.opening import ledger_of

    with ledger_of(settings()) as ledger:
        from x0tta_cli.pay.ledger.enrolment import add_wallet

        return _listed(add_wallet(ledger, asset, canonical, name))


@wallets.command("list", examples=["x0tta pay wallets list", "x0tta pay wallets list -o json"])
def list_() -> list[ListedWallet]:
    """List our wallets, with their canonical addresses."""
    from x0tta_cli.pay.opening import existing_ledger_of

    with existing_ledger_of(settings()) as ledger:
        if ledger is None:
            return []
        from x0tta_cli.pay.ledger.enrolment import wallets_in

        with ledger.reading() as connection:
            return [_listed(one) for one in wallets_in(connection)]


def blocks_of_checks(result: WalletChecks) -> Iterator[Block]:
    """Lay out who is read by whom."""
    yield Table(
        [Column("WALLET"), Column("SOURCE"), Column("READ UNTIL"), Column("STATE")],
        [
            (
                one.wallet,
                one.source,
                one.read_until or "never",
                Cell(one.state, "good" if one.state == "ok" else "bad"),
            )
            for one in result.checks
        ],
    )


@wallets.command(
    view=blocks_of_checks,
    examples=["x0tta pay wallets check  # 3 when one was not read in time"],
)
def check() -> WalletChecks:
    """See whether each wallet was read in time by some source; asks no chain."""
    from x0tta_cli.pay.opening import existing_ledger_of

    configured = settings()
    with existing_ledger_of(configured) as ledger:
        if ledger is None:
            return WalletChecks(())
        from x0tta_cli.pay.reconcile.freshness import readings

        return WalletChecks(
            tuple(
                WalletCheck(one.wallet, one.source, one.read_until, one.state)
                for one in readings(ledger, configured)
            )
        )


def _listed(wallet: Wallet) -> ListedWallet:
    return ListedWallet(wallet.name, wallet.asset, wallet.address)
