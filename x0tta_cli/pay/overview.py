"""What `pay` says on the screens of `x0tta status` and `x0tta doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from x0tta_cli.core import state
from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.extras import missing
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine
from x0tta_cli.core.times import format_duration
from x0tta_cli.pay.orders import PENDING, WRONG, OrderState
from x0tta_cli.pay.values import FILE

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration


def status_lines(configuration: Configuration) -> Iterator[StatusLine]:
    """Tell how many payments are pending, wrong or contradicting; asks no chain.

    Raises what the configuration and the ledger raise; says nothing where there is no ledger.
    """
    if _is_unused(configuration) or missing("pay"):
        return
    from x0tta_cli.pay.opening import existing_ledger_of
    from x0tta_cli.pay.settings import PaySettings

    with existing_ledger_of(configuration.section("pay", PaySettings)) as ledger:
        if ledger is None:
            return
        from x0tta_cli.pay.ledger.reading import counts

        with ledger.reading() as connection:
            counted = counts(connection)
    pending = sum(counted.get(state, 0) for state in PENDING)
    if pending:
        yield StatusLine(
            Severity.INFO, f"payments pending: {pending}", pending, "x0tta pay reconcile"
        )
    wrong = {state: counted[state] for state in WRONG if counted.get(state)}
    if wrong:
        words = ", ".join(f"{count} {state}" for state, count in wrong.items())
        states = " ".join(f"--state {state}" for state in wrong)
        yield StatusLine(
            Severity.WARNING, f"payments: {words}", sum(wrong.values()), f"x0tta pay list {states}"
        )
    conflicting = counted.get(OrderState.CONFLICTING, 0)
    if conflicting:
        yield StatusLine(
            Severity.ERROR,
            f"payments that sources contradict each other about: {conflicting}",
            conflicting,
            "x0tta pay list --state conflicting",
        )


def look_at_ledger(surroundings: Surroundings) -> Observed:
    """See whether the ledger can be read and each wallet was read in time; makes no ledger."""
    from x0tta_cli.pay.opening import existing_ledger_of
    from x0tta_cli.pay.settings import PaySettings

    if missing("pay"):
        return Observed("not installed")
    settings = surroundings.configuration.section("pay", PaySettings)
    try:
        with existing_ledger_of(settings) as ledger:
            if ledger is None:
                return Observed("no ledger yet")
            from x0tta_cli.pay.reconcile.freshness import readings

            found = readings(ledger, settings)
    except OperatorError as error:
        return Observed(findings=(Finding.from_error(error, "pay.ledger"),))
    well = {one.wallet for one in found if one.state == "ok"}
    unread = sorted({one.wallet for one in found} - well)
    return Observed(
        f"{len(well)} wallets read in time" if found else "no wallet",
        tuple(
            Finding(
                "pay.wallet_unread",
                Severity.WARNING,
                wallet,
                f"No source has read the wallet {wallet} in time.",
                "x0tta pay reconcile  # and see that cron or the timer runs it",
                f"It should be read every {format_duration(settings.stale_after)}.",
            )
            for wallet in unread
        ),
    )


def look_at_sources(surroundings: Surroundings) -> Observed:
    """Ask each configured source whether it serves."""
    from x0tta_cli.pay.settings import PaySettings

    settings = surroundings.configuration.section("pay", PaySettings)
    if not settings.sources:
        return Observed("none configured")
    from x0tta_cli.pay.chains.probe import look_at_sources as look

    return look(settings.sources)


def _is_unused(configuration: Configuration) -> bool:
    """See whether nothing is set and no ledger made, before pydantic and SQLAlchemy are needed."""
    return not configuration.is_given("pay") and not (state.folder() / FILE).exists()


CHECKS = (Check("ledger", look_at_ledger), Check("sources", look_at_sources, is_remote=True))
