from __future__ import annotations

import io
import json
import logging
from datetime import datetime

import pytest

from x0tta_cli.core import log, secrets


@pytest.fixture(autouse=True)
def root_logger():
    root = logging.getLogger()
    level = root.level
    yield root
    for handler in [handler for handler in root.handlers if isinstance(handler, log._Handler)]:
        root.removeHandler(handler)
    root.setLevel(level)


def test_logfmt_is_one_line_that_quotes_what_is_no_plain_word():
    stream = io.StringIO()
    log.configure(stream, "logfmt", logging.INFO)
    logging.getLogger("a.b").info("it = %s", "new\nline", extra={"stage": "train", "empty": ""})
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.endswith('level=info logger=a.b message="it = new\\nline" stage=train empty=""\n')


def test_json_is_one_object_a_line():
    stream = io.StringIO()
    log.configure(stream, "json", logging.DEBUG)
    logging.getLogger("a.b").debug("done", extra={"duration_ms": 1.5, "ratio": float("nan")})
    record = json.loads(stream.getvalue(), parse_constant=pytest.fail)
    assert datetime.fromisoformat(record.pop("time")).tzinfo
    assert record == {
        "level": "debug",
        "logger": "a.b",
        "message": "done",
        "duration_ms": 1.5,
        "ratio": None,
    }


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_no_secret_gets_through_by_message_field_or_traceback(form):
    secrets.register("hunter2 hunter2")
    stream = io.StringIO()
    log.configure(stream, form, logging.INFO)
    try:
        int("hunter2 hunter2")
    except ValueError:
        logging.getLogger("x").exception(
            "sent %s", "hunter2 hunter2", extra={"url": "http://x/?key=hunter3", "token": "hunter4"}
        )
    assert "ValueError" in stream.getvalue()
    assert "hunter" not in stream.getvalue()


def test_a_second_call_takes_the_place_of_the_first():
    first, second = io.StringIO(), io.StringIO()
    log.configure(first, "logfmt", logging.INFO)
    log.configure(second, "logfmt", logging.WARNING)
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


def test_a_stream_that_is_gone_disturbs_nobody(capsys):
    stream = io.StringIO()
    log.configure(stream, "logfmt", logging.INFO)
    stream.close()
    logging.getLogger("x").warning("nobody hears")
    assert capsys.readouterr().err == ""
