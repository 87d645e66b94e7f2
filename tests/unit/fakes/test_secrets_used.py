"""The scan for secrets notices one in every form in which it could be written."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
from base64 import b64encode
from pathlib import Path

import pytest
from fakes import secrets_used
from fakes.secrets_used import TOKEN, canary, planted

CONFTEST = Path(__file__).parents[2] / "conftest.py"
WRITES = """
from fakes.secrets_used import TOKEN, heard, plant

def test_it(tmp_path):
    plant(tmp_path / "input", TOKEN)
    {statement}
"""


def packed() -> bytes:
    """A bundle with the secret in a file within."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as bundle:
        entry = tarfile.TarInfo("configuration.json")
        entry.size = len(TOKEN)
        bundle.addfile(entry, io.BytesIO(TOKEN.encode()))
    return stream.getvalue()


FORMS = {
    "plain": f"the token is {TOKEN}.".encode(),
    "within binary": b"\0\xff" + TOKEN.encode() + b"\0",
    "in a URL": f"https://example.org/?key={TOKEN}&page=2".encode(),
    "base64": b64encode(TOKEN.encode()),
    "base64 of a password": b64encode(f":{TOKEN}".encode()),
    "base64 of user and password": b64encode(f"me:{TOKEN}".encode()),
    "compressed": gzip.compress(TOKEN.encode()),
    "in a bundle": packed(),
    "a short one": b"hunter3",
}


@pytest.mark.parametrize("form", list(FORMS))
def test_a_secret_is_found_in_any_form_and_not_where_it_was_planted(tmp_path, form):
    path = tmp_path / "crash.txt"
    path.write_bytes(FORMS[form])
    assert [line.partition(": ")[0] for line in secrets_used.leaks_in(tmp_path)] == [str(path)]
    planted(path)
    assert list(secrets_used.leaks_in(tmp_path)) == []
    path.write_bytes(b"more than was planted: " + TOKEN.encode())
    assert len(list(secrets_used.leaks_in(tmp_path))) == 1
    path.unlink()


def test_other_text_is_no_secret():
    for text in ("hunter", "a hunter of bugs", "[redacted]", b64encode(b"hunting").decode()):
        assert secrets_used.secrets_in(text.encode()) == []
    assert canary("telegram") != canary("slack")


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("(tmp_path / 'crash.txt').write_text(TOKEN)", "crash.txt: hunter2-token"),
        ("heard('x0tta status', 'key ' + TOKEN)", "x0tta status: hunter2-token"),
        ("pass", ""),
    ],
)
def test_a_run_that_wrote_a_secret_fails(tmp_path, workers, statement, told):
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "allowed_skips.txt").touch()
    (tmp_path / "test_it.py").write_text(WRITES.format(statement=statement))
    # What tells of the workers of this run is none of that one's business.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers,
         f"--basetemp={tmp_path / 'kept'}", str(tmp_path)],
        env=own | {"PYTHONPATH": str(CONFTEST.parent)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (ended.returncode, "1 passed" in ended.stdout) == (int(bool(told)), True), ended.stdout
    assert told in ended.stdout
    assert ("a secret was written" in ended.stdout) is bool(told)
    for path in tmp_path.rglob("*"):
        # Else this run's own scan would find what that run had to find.
        if path.name in {"crash.txt", "input"}:
            planted(path)
