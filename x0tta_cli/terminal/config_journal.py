"""Edits of configuration files in the journal: what changed is asked of keys and flags as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from x0tta_cli.core.config.keys import Key
    from x0tta_cli.core.journal import Leftover, OperationRecord


@contextmanager
def journaled_edit(
    key: Key, *, file: Path, profile: str | None, before: object, value: object
) -> Iterator[None]:
    """Journal the block as `config.set`; of a secret, where it is and never what it is."""
    from x0tta_cli.core.config.references import is_reference
    from x0tta_cli.core.files import absolute
    from x0tta_cli.core.secrets import HIDDEN, is_secret_name

    def shown(given: object) -> object:
        is_hidden = is_secret_name(key.path[-1]) and given is not None and not is_reference(given)
        return HIDDEN if is_hidden else given

    plan = {"key": key.name, "before": shown(before), "value": shown(value), "file": absolute(file)}
    with _journaled("config.set", plan | ({"profile": profile} if profile else {})):
        yield


@contextmanager
def journaled_file(file: Path) -> Iterator[None]:
    """Journal the block as `config.init`."""
    from x0tta_cli.core.files import absolute

    with _journaled("config.init", {"file": absolute(file)}):
        yield


def nothing_left(_record: OperationRecord) -> Iterator[Leftover]:
    """Tell what an edit that was killed leaves: a file is the old one or the new one, whole."""
    return iter(())


@contextmanager
def _journaled(kind: str, plan: dict[str, object]) -> Iterator[None]:
    from x0tta_cli.core import journal
    from x0tta_cli.core.errors import OperatorError

    try:
        operation = journal.begin(kind, plan)
    except OperatorError as error:
        import logging

        # A key may be what mends the machine, and the file itself is the truth.
        logging.getLogger(__name__).warning(
            "the journal can't be used", extra={"reason": f"{error} {error.reason}".rstrip()}
        )
        yield
        return
    with closing(operation):
        try:
            yield
            operation.finish()
        except BaseException as error:
            operation.fail(error)
            raise
