"""`x0tta bundle`: all that helps, nothing secret, and no collector that loses the others."""

from __future__ import annotations

import json
import os
import socket
import stat
import tarfile
from pathlib import Path

import pytest
from fakes.secrets_used import TOKEN, plant, planted

from x0tta_cli.core import journal

pytestmark = pytest.mark.slow

SECRET = TOKEN
NAMES = [
    "versions.json",
    "configuration.json",
    "environment.json",
    "doctor.json",
    "journal.json",
]


@pytest.fixture
def lived_in(environment, monkeypatch):
    """A state folder with an operation and a crash file, both of which have met a secret."""
    # Where x0tta learns of it: a value without a name beside it is no secret that it could know.
    environment["MESH_API_TOKEN"] = SECRET
    state = Path(environment["X0TTA_STATE_DIR"])
    monkeypatch.setenv("X0TTA_STATE_DIR", str(state))
    with journal.operation("test.run", {"note": f"met {SECRET}", "token": SECRET}):
        pass
    crash = state / "crash-20260102T030405Z-1.txt"
    crash.write_text(f"ValueError: {SECRET}\nAuthorization: Bearer hunter2-abcdefgh\n")
    planted(*state.glob("*.*"))
    monkeypatch.delenv("X0TTA_STATE_DIR")
    return state


def read(path):
    """The files of a bundle by name, its one folder taken off."""
    with tarfile.open(path) as archive:
        entries = archive.getmembers()
        assert {entry.mode for entry in entries} == {0o600}
        folders = {entry.name.partition("/")[0] for entry in entries}
        assert len(folders) == 1
        return {
            entry.name.partition("/")[2]: archive.extractfile(entry).read().decode()
            for entry in entries
        }


def states(told):
    return {item["name"]: item["state"] for item in told["items"]}


def test_everything_is_collected_and_told_in_the_manifest(x0tta, lived_in, tmp_path):
    target = tmp_path / "trouble.tar.gz"
    ended = x0tta("bundle", str(target), "-o", "json")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    files = read(target)
    assert set(files) == {"manifest.json", *NAMES, "crashes/crash-20260102T030405Z-1.txt"}
    assert told["file"] == str(target)
    assert told["size_bytes"] == target.stat().st_size
    manifest = json.loads(files["manifest.json"])
    assert manifest == {name: told[name] for name in manifest}
    assert "bundle" in manifest["command"]
    collected = [item for item in told["items"] if item["state"] == "collected"]
    assert {item["name"]: item["size_bytes"] for item in collected} == {
        name: len(text.encode()) for name, text in files.items() if name != "manifest.json"
    }
    assert states(told)["logs"] in {"nothing there", "collected"}
    assert json.loads(files["versions.json"])["packages"]["typer"]["installed"]
    values = json.loads(files["configuration.json"])["values"]
    assert values["drill.seed"] == {"value": "0", "source": "default", "line": None}
    assert [operation["kind"] for operation in json.loads(files["journal.json"])] == ["test.run"]
    groups = {check["group"] for check in json.loads(files["doctor.json"])["checks"]}
    assert groups >= {"kernel", "state"}


def test_only_the_owner_may_read_it(x0tta, lived_in, tmp_path):
    target = tmp_path / "trouble.tgz"
    target.write_text("an older one")
    target.chmod(0o644)
    umask = os.umask(0)
    try:
        assert x0tta("bundle", str(target)).returncode == 0
        assert x0tta("bundle", str(tmp_path / "new.tar.gz")).returncode == 0
    finally:
        os.umask(umask)
    for path in (target, tmp_path / "new.tar.gz"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        read(path)
    assert not list(tmp_path.glob(".x0tta-*"))


def test_no_secret_is_in_it(x0tta, lived_in, tmp_path):
    target = tmp_path / "trouble.tar.gz"
    ended = x0tta("bundle", str(target), "-o", "json", env={"X0TTA_X": SECRET})
    files = read(target)
    assert SECRET not in "".join(files.values())
    assert SECRET not in ended.stdout + ended.stderr
    assert "hunter2-abcdefgh" not in "".join(files.values())
    assert "[redacted]" in files["crashes/crash-20260102T030405Z-1.txt"]
    assert "X0TTA_X" in json.loads(files["environment.json"])["names"]
    assert target.read_bytes().find(SECRET.encode()) == -1


def test_the_folder_of_the_shell_is_no_secret(x0tta, tmp_path):
    folder = tmp_path / "where-I-work"
    folder.mkdir()
    ended = x0tta("bundle", "no/such.tar.gz", cwd=folder, env={"PWD": str(folder)})
    assert f"{folder}/no/such.tar.gz" in ended.stderr
    file = folder / "config.toml"
    file.write_text("")
    told = x0tta("bundle", "x.tar.gz", "--config", str(file), cwd=folder, env={"PWD": str(folder)})
    assert f"Written to {folder}/x.tar.gz" in told.stdout
    assert str(file) in read(folder / "x.tar.gz")["configuration.json"]


def test_a_preview_says_the_same_and_writes_nothing(x0tta, lived_in, tmp_path):
    before = sorted(path for path in tmp_path.rglob("*"))
    ended = x0tta("bundle", str(tmp_path / "x.tar.gz"), "--preview", "-o", "json")
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["file"]) == (0, None)
    assert sorted(path for path in tmp_path.rglob("*")) == before
    made = json.loads(x0tta("bundle", str(tmp_path / "x.tar.gz"), "-o", "json").stdout)
    assert states(made) == states(told)


def test_without_a_name_it_goes_into_the_current_folder(x0tta, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    told = json.loads(x0tta("bundle", "-o", "json", cwd=folder).stdout)
    [path] = folder.iterdir()
    assert told["file"] == str(path)
    assert path.name.startswith("x0tta-bundle-")
    assert path.name.endswith(".tar.gz")
    assert not (tmp_path / "state").exists()


def test_what_breaks_one_collector_leaves_the_others(x0tta, lived_in, tmp_path):
    (lived_in / "journal.sqlite3").write_bytes(b"nonsense" * 100)
    broken = tmp_path / "config.toml"
    plant(broken, f'[drill\nkey = "{SECRET}"\n')
    target = tmp_path / "trouble.tar.gz"
    ended = x0tta("bundle", str(target), "--config", str(broken), "-o", "json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert states(told)["journal"] == "failed"
    [reason] = [item["reason"] for item in told["items"] if item["name"] == "journal"]
    assert "damaged" in reason
    files = read(target)
    assert "journal.corrupt" in files["doctor.json"]
    assert "Traceback" in files["errors/journal.txt"]
    configuration = json.loads(files["configuration.json"])
    assert [problem["code"] for problem in configuration["problems"]] == ["config.not_toml"]
    assert SECRET not in files["configuration.json"] + files["doctor.json"]
    shown = x0tta("bundle", str(target), "--config", str(broken)).stdout
    assert "warning: journal could not be collected." in shown


def test_what_is_older_is_left_out(x0tta, lived_in, tmp_path):
    for path in lived_in.glob("crash-*"):
        os.utime(path, (0, 0))
    target = tmp_path / "trouble.tar.gz"
    told = json.loads(x0tta("bundle", str(target), "--since", "2h", "-o", "json").stdout)
    assert states(told)["crashes"] == "nothing there"
    assert "journal.json" in states(told)
    told = json.loads(x0tta("bundle", str(target), "--since", "0s", "-o", "json").stdout)
    assert states(told)["journal"] == "nothing there"
    line = ["bundle", str(target), "--since", "1970-01-01T00:00:00Z", "-o", "json"]
    assert "crashes/crash-20260102T030405Z-1.txt" in states(json.loads(x0tta(*line).stdout))


def test_a_link_in_place_of_a_crash_file_is_not_followed(x0tta, lived_in, tmp_path):
    plant(tmp_path / "private", SECRET)
    (lived_in / "crash-20260203T030405Z-1.txt").symlink_to(tmp_path / "private")
    told = json.loads(x0tta("bundle", "--preview", "-o", "json").stdout)
    assert "crashes/crash-20260203T030405Z-1.txt" not in states(told)


def test_nothing_is_sent(x0tta, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended = x0tta("bundle", str(tmp_path / "x.tar.gz"), env={"X0TTA_DOCTOR__INTERNET_URL": url})
        assert ended.returncode == 0
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["x.zip"], 2, "bundle.unknown_form"),
        (["/nowhere/x.tar.gz"], 4, "files.no_such_folder"),
        (["/proc/x.tar.gz"], 4, "files.no_such_folder"),
        (["x.tar.gz", "--since", "yesterday"], 2, "times.bad_instant"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_collected(
    x0tta, tmp_path, arguments, status, code
):
    ended = x0tta("bundle", *arguments, "-o", "json", cwd=tmp_path)
    problem = json.loads(ended.stderr)
    assert (ended.returncode, ended.stdout, problem["code"]) == (status, "", code)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
