from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core import secrets
from x0tta_cli.core.secrets import HIDDEN, json_form, redact, register


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer SECRETSECRET",
        "authorization: basic U0VDUkVUU0VDUkVU==",
        "https://api.telegram.org/bot123456:SECRET-SECRET_x/sendMessage",
        "https://hooks.slack.com/services/T0/B0/SECRETSECRET",
        "postgresql://me:SECRETSECRET@db.example.org/x",
        "GET https://x.example/?key=SECRETSECRET&page=2",
        "GET https://x.example/?page=2&access_token=SECRETSECRET",
        'X-Api-Key: SECRETSECRET',
        '{"routing_key": "SECRETSECRET", "page": 2}',
        "password=SECRETSECRET",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text):
    shown = redact(text)
    assert "SECRETSECRET" not in shown
    assert "U0VDUkVUU0VDUkVU" not in shown
    assert "SECRET-SECRET" not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "/etc/x0tta/config.toml, line 3: drill has no key 'sede'.",
        "Did you mean X0TTA_DRILL__SEED?",
        "GET http://127.0.0.1:9093/api/v2/alerts?active=true had no answer.",
        "the key of the table",
        "monkey=banana",
        "2026-11-25T10:00:00Z level=info message=started",
    ],
)
def test_ordinary_words_stay(text):
    assert redact(text) == text


FRAGMENTS = st.sampled_from(
    [
        "Bearer ",
        "BASIC ",
        "bot",
        "/bot1:",
        "hooks.slack.com",
        "/services/",
        "https://",
        "a:",
        "@",
        "X-",
        "api_",
        "-",
        "KEY",
        "key",
        "token",
        "Secret",
        "pass",
        "wor",
        "d",
        "wd",
        "pwd",
        "sig",
        "ſig",
        "nature",
        "tokem",
        "=",
        ": ",
        ":",
        '"',
        "'",
        "?",
        "&",
        "SECRETSECRET",
        "s3",
        "ı",
        " ",
    ]
)


@given(st.lists(FRAGMENTS, max_size=12).map("".join))
def test_no_word_that_is_missing_lets_a_secret_through(text):
    """What is looked for by its words first is what all patterns together find."""
    secrets._values.clear()
    found = text
    for _, pattern, replacement in secrets._PATTERNS:
        found = re.sub(pattern, replacement, found)
    assert redact(text) == found


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=8, max_size=40))
def test_a_registered_secret_is_hidden_in_every_form_it_travels_in(value):
    secrets._values.clear()
    if len(value.strip()) < secrets.SHORTEST:
        return
    register(value)
    encoded = base64.b64encode(value.strip().encode()).decode()
    carrier = f"<{value}>|{quote(value.strip(), safe='')}|{encoded}|"
    shown = redact(carrier)
    assert value not in shown.replace(HIDDEN, "")
    assert encoded.rstrip("=") not in shown


def test_a_secret_within_a_longer_one_leaves_no_rest():
    register("abcd-1234")
    register("abcd-1234-efgh")
    assert redact("abcd-1234-efgh") == HIDDEN


def test_a_value_too_short_to_be_a_secret_tears_no_holes():
    register("a")
    assert redact("a plain word") == "a plain word"


def test_a_tree_is_redacted_by_value_and_by_name():
    register("hunter2-hunter2")
    tree = {
        "url": "http://x/?q=hunter2-hunter2",
        "list": [("hunter2-hunter2",), float("inf")],
        "bot_token": {"nested": "anything"},
        "API-Key": 12345,
        "token": None,
        "tokens": 3,
    }
    shown = json_form(tree)
    assert shown == {
        "url": f"http://x/?q={HIDDEN}",
        "list": [[HIDDEN], None],
        "bot_token": HIDDEN,
        "API-Key": HIDDEN,
        "token": None,
        "tokens": 3,
    }
    json.dumps(shown, allow_nan=False)
