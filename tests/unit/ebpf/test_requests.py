"""Requests as the journal keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from x0tta_cli.ebpf import detaching
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.requests import AttachRequest, request_from

NOW = datetime.now(UTC)
REQUEST = AttachRequest(
    ("eth0", "eth1"),
    Path("/srv/my.bpf.o"),
    at_least=Mode.NATIVE,
    netns="mesh1",
    parameters={"rate": "500/s"},
    keep=("192.0.2.1",),
    strict=True,
    check_again=timedelta(seconds=5),
)


def test_a_request_is_read_back_from_json():
    assert request_from(json.loads(json.dumps(REQUEST.as_plan())), NOW) == REQUEST


def test_a_name_stays_a_name_and_a_file_a_file():
    named = AttachRequest(("eth0",), "count")
    assert request_from(named.as_plan(), NOW).program == "count"


def test_of_a_time_what_is_left_is_read_and_nothing_when_it_is_over():
    plan = AttachRequest(("eth0",), "count", lasts=timedelta(minutes=10)).as_plan()
    left = request_from(plan, datetime.now(UTC) + timedelta(minutes=4)).lasts
    assert timedelta(minutes=5, seconds=50) < left <= timedelta(minutes=6)
    assert request_from(plan, datetime.now(UTC) + timedelta(minutes=11)) is None


def test_a_request_to_detach_is_read_back_from_json():
    request = detaching.DetachRequest(("eth0",), 7, "count", "mesh1", Path("/srv/bpf"))
    assert detaching.request_from(json.loads(json.dumps(request.as_plan()))) == request
