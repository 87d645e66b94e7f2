"""Text measured, wrapped, and escaped for JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.text import escape
from x0tta_cli.terminal.text import cells, escape_for_json, pad, wrap


@pytest.mark.slow
@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaping_json_changes_no_data(data):
    encoded = escape_for_json(json.dumps(data, indent=2, ensure_ascii=False))
    assert json.loads(encoded) == data
    assert all(character in "\n" or escape(character) == character for character in encoded)


def test_cells():
    assert cells("abc") == 3
    assert cells("メッシュ") == 8
    assert cells("e\u0301") == 1
    assert pad("メ", 4) == "メ  "
    assert pad("7", 3, "right") == "  7"


def test_wrap_breaks_at_spaces_and_cuts_what_is_longer_than_a_line():
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("PetAdoptionHistory_ecs-fargate", 20) == ["PetAdoptionHistory_", "ecs-fargate"]
    assert wrap("", 5) == [""]


@given(st.text(alphabet="ab -/メ"), st.integers(min_value=2, max_value=12))
def test_wrap_loses_nothing_and_stays_within(text, width):
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
