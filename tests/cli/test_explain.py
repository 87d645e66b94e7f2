"""`x0tta explain`: the catalogue, offline."""

from __future__ import annotations

import json

from x0tta_cli.core.catalogue import CATALOGUE


def test_every_code_is_listed(x0tta):
    listed = json.loads(x0tta("explain", "-o", "json").stdout)
    assert [entry["code"] for entry in listed] == sorted(CATALOGUE)
    assert {entry["status"] for entry in listed} >= {1, 2, 7}


def test_a_code_is_explained(x0tta):
    ended = x0tta("explain", "usage.unknown_option")
    entry = CATALOGUE["usage.unknown_option"]
    assert ended.returncode == 0
    for part in (entry.title, entry.cause, entry.mend, entry.example):
        assert part in ended.stdout


def test_an_unknown_code_is_not_found(x0tta):
    ended = x0tta("explain", "usage.unknown_opton")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "Did you mean usage.unknown_option" in ended.stderr


def test_an_area_names_its_codes(x0tta):
    assert "output.disk_full, output.not_writable" in x0tta("explain", "output").stderr
