"""Keys by their dotted names."""

from __future__ import annotations

import pytest

from x0tta_cli.core.config.keys import all_keys, find_key, find_section
from x0tta_cli.core.errors import NotFoundError


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("alert.count", (int,)),
        ("alert.limits.upper", (int,)),
        (" alert.name ", (str,)),
        ("alert.labels.zone", (str,)),
    ],
)
def test_a_key_is_found_with_its_types(models, name, kinds):
    key = find_key(name, models)
    assert (key.name, key.kinds) == (name.strip(), kinds)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("alert.coutn", "Did you mean alert.count?"),
        ("count", "Did you mean alert.count?"),
        ("alret.count", "Did you mean alert.count?"),
        ("alert.limits", "Did you mean alert.limits.lower or alert.limits.upper?"),
        ("alert.count.x", "Did you mean alert.count?"),
        ("alert.", "Did you mean"),
        ("zzzzzz", "See x0tta config show."),
    ],
)
def test_what_is_no_key_is_refused_with_what_was_meant(models, name, fix):
    with pytest.raises(NotFoundError) as caught:
        find_key(name, models)
    assert caught.value.code == "config.no_such_key"
    assert fix in caught.value.fix


def test_a_section_is_found_or_what_was_meant(models):
    assert find_section("alert", models) == "alert"
    with pytest.raises(NotFoundError, match="no section 'alret'") as caught:
        find_section("alret", models)
    assert caught.value.fix == "Did you mean alert?"


def test_all_keys_enter_tables(models):
    assert {"alert.count", "alert.limits.lower", "alert.channel.name", "pay.wallet"} <= set(
        all_keys(models)
    )
