"""Completion names the very incidents that the library has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.telemetry import names
from x0tta_cli.telemetry.library import Library, natural_key, packaged_library


def identifiers(library: Library) -> list[str]:
    return [incident.identifier for incident in library.incidents()]


def add(*paths) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_packaged_incidents():
    library = packaged_library()
    assert library.root.samefile(names.PACKAGED)
    assert names.incidents(names.PACKAGED) == identifiers(library)


def test_incidents_of_every_layout(tmp_path):
    for recording in ("b10", "b9", "B"):
        add(
            tmp_path / recording / "noissue" / "metrics.csv.xz",
            tmp_path / recording / "noissue" / "deeper" / "metrics.csv",
            tmp_path / recording / "test" / "issue_10" / "metrics.csv",
            tmp_path / recording / "test" / "issue_9" / "target.json",
            tmp_path / recording / "one" / "two" / "three" / "four" / "metrics.csv",
            tmp_path / recording / "one" / "two" / "three" / "four" / "five" / "metrics.csv",
            tmp_path / recording / "one" / "noissue" / "metrics.csv",
            tmp_path / recording / ".hidden" / "metrics.csv",
            tmp_path / recording / "no incident" / "graph.csv",
        )
        (tmp_path / recording / "test" / "back").symlink_to(tmp_path / recording)
    add(tmp_path / "no recording" / "issue" / "metrics.csv")
    found = names.incidents(str(tmp_path))
    assert found == identifiers(Library(tmp_path))
    assert len(found) == 12
    add(tmp_path / "graph.csv")
    assert names.incidents(str(tmp_path)) == identifiers(Library(tmp_path))


def test_nothing_there_is_nothing(tmp_path):
    add(tmp_path / "file")
    for root in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        assert names.incidents(str(root)) == []


PATHS = st.lists(st.text("aB 019_-.é²", min_size=1), min_size=1).map("/".join)


@given(st.lists(PATHS, unique=True))
def test_the_order_is_that_of_the_library(paths):
    assert sorted(paths, key=names._natural) == sorted(paths, key=natural_key)
