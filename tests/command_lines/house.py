"""Lines of the house's own commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from command_lines.line import Line, Lines, Place

MANY_STEPS = str(Path(__file__).parents[1] / "cli" / "many_steps.py")


@contextmanager
def done_operation(place: Place) -> Iterator[None]:
    """An operation is in the journal, as `{operation}`."""
    world = place.folder / "world"
    world.mkdir()
    place.run(sys.executable, MANY_STEPS, "many", "run", WORLD=str(world))
    [written] = world.glob("*-0")
    place.words["operation"] = written.name.removesuffix("-0")
    yield


@contextmanager
def interrupted_operation(place: Place) -> Iterator[None]:
    """An operation was killed, as `{operation}`."""
    world = place.folder / "world"
    world.mkdir()
    place.run(sys.executable, MANY_STEPS, "many", "run", WORLD=str(world), KILL_AFTER="4")
    [written] = world.glob("*-0")
    place.words["operation"] = written.name.removesuffix("-0")
    yield


@contextmanager
def corrupt_journal(place: Place) -> Iterator[None]:
    state = Path(place.environment["X0TTA_STATE_DIR"])
    state.mkdir()
    (state / "journal.sqlite3").write_bytes(b"nonsense" * 100)
    yield


@contextmanager
def a_configuration(place: Place) -> Iterator[None]:
    place.configure("[drill]\nseed = 3\n")
    yield


@contextmanager
def a_broken_configuration(place: Place) -> Iterator[None]:
    place.configure("[drill]\nseed = 'x'\n")
    yield


@contextmanager
def an_unknown_flag(place: Place) -> Iterator[None]:
    place.environment["X0TTA_FLAGS__GRAPSAGE"] = "off"
    yield


@contextmanager
def no_pager(place: Place) -> Iterator[None]:
    """man(1) shows all at once, and waits for nobody."""
    place.environment["MANPAGER"] = "cat"
    yield


LINES = {
    "status": Lines(
        Line("status", around=interrupted_operation),
        Line("status", 9, around=corrupt_journal, answers=True),
    ),
    "doctor": Lines(
        Line("doctor installation configuration state"),
        Line("doctor --need nothing", 2, "doctor.unknown_check"),
    ),
    "bundle": Lines(
        Line("bundle {folder}/bundle.tar.gz", varies=True),
        Line("bundle {folder}/nowhere/bundle.tar.gz", 4, "files.no_such_folder"),
    ),
    "ops list": Lines(
        Line("ops list", around=done_operation),
        Line("ops list", 9, "journal.corrupt", around=corrupt_journal),
    ),
    "ops show": Lines(
        Line("ops show {operation}", around=done_operation),
        Line("ops show 000000000000", 4, "journal.unknown_operation"),
    ),
    "ops resume": Lines(
        Line("ops resume {operation} --yes", around=done_operation),
        Line("ops resume {operation}", 8, "ops.not_resumable", around=interrupted_operation),
    ),
    "ops clean": Lines(
        Line("ops clean {operation} --yes", around=interrupted_operation),
        Line("ops clean 000000000000 --yes", 4, "journal.unknown_operation"),
    ),
    "config init": Lines(
        Line("config init"),
        Line("config init", 5, "config.exists", around=a_configuration),
    ),
    "config get": Lines(
        Line("config get drill.seed", around=a_configuration),
        Line("config get drill.sede", 4, "config.no_such_key"),
    ),
    "config set": Lines(
        Line("config set drill.seed 7", around=a_configuration),
        Line("config set drill.seed x", 2, "usage.bad_value"),
    ),
    "config path": Lines(
        Line("config path"),
        Line("config path --fields fiel", 2, "usage.unknown_field"),
    ),
    "config check": Lines(
        Line("config check", around=a_configuration),
        Line("config check", 9, around=a_broken_configuration, answers=True),
    ),
    "config schema": Lines(
        Line("config schema"),
        Line("config schema drill", 2, "usage.unexpected_argument"),
    ),
    "config show": Lines(
        Line("config show --origin", around=a_configuration),
        Line("config show", 9, "config.bad_value", around=a_broken_configuration),
    ),
    "flags list": Lines(
        Line("flags list"),
        Line("flags list", 9, "config.unknown_key", around=an_unknown_flag),
    ),
    "flags get": Lines(
        Line("flags get graphsage"),
        Line("flags get grapsage", 4, "flags.unknown"),
    ),
    "explain": Lines(
        Line("explain usage.bad_value"),
        Line("explain usage.bad", 4, "explain.unknown_code"),
    ),
    "help": Lines(
        Line("help drill", around=no_pager),
        Line("help dril", 2, "usage.unknown_command"),
    ),
}
