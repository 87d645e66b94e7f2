from __future__ import annotations

import gzip
import os
import stat
import threading
from pathlib import Path

import pytest

from x0tta_cli.core import files
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.files import absolute, reading_errors, write_atomically


def code_of(path: Path, data: bytes | str = b"new") -> str:
    with pytest.raises(OperatorError) as caught:
        write_atomically(path, data)
    assert str(path) in str(caught.value)
    return caught.value.code


def test_a_new_file_has_its_content_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "report.html"
    write_atomically(path, "größer\n")
    assert path.read_bytes() == "größer\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_obeys_the_umask_or_the_mode_that_is_given(tmp_path):
    umask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "plain", b"")
        write_atomically(tmp_path / "private", b"", mode=0o600)
        write_atomically(tmp_path / "open", b"", mode=0o666)
    finally:
        os.umask(umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"plain": 0o640, "private": 0o600, "open": 0o666}


def test_an_existing_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "config"
    path.write_text("old")
    path.chmod(0o604)
    write_atomically(path, b"new", mode=0o600)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target.name)
    write_atomically(link, b"first")
    write_atomically(link, b"second")
    assert link.is_symlink()
    assert target.read_bytes() == b"second"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_long_name_that_the_disk_takes_is_taken(tmp_path):
    path = tmp_path / ("x" * 255)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_reader_sees_the_old_or_the_new_content_and_nothing_else(tmp_path):
    path, contents, seen = tmp_path / "file", [b"a" * 200_000, b"b" * 200_000], set()
    write_atomically(path, contents[0])
    writing = threading.Event()

    def write() -> None:
        for index in range(60):
            write_atomically(path, contents[index % 2])
        writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not writing.is_set():
        seen.add(path.read_bytes())
    writer.join()
    assert seen <= set(contents)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("call", ["fsync", "fdopen", "open"])
def test_an_interrupt_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, interrupt, call):
    path = tmp_path / "file"
    path.write_text("old")
    original = getattr(os, call)

    def interrupted(*arguments: object, **options: object) -> None:
        result = original(*arguments, **options)
        if isinstance(result, int) and call == "open":
            os.close(result)
        raise interrupt

    monkeypatch.setattr(files.os, call, interrupted)
    with pytest.raises(interrupt):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_path_leads_from_a_folder_that_was_removed(tmp_path, monkeypatch):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert absolute(Path("report.html")) == folder / "report.html"
    folder.rmdir()
    assert absolute(tmp_path) == tmp_path
    with pytest.raises(OperatorError, match="current folder does not exist") as caught:
        absolute(Path("report.html"))
    assert caught.value.code == "files.not_found"


def test_writing_into_a_folder_that_is_not_there(tmp_path):
    assert code_of(tmp_path / "missing" / "file") == "files.no_such_folder"


def test_writing_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    assert code_of(tmp_path / "file" / "below") == "files.no_such_folder"


def test_writing_over_a_folder(tmp_path):
    assert code_of(tmp_path) == "files.is_a_folder"


def test_writing_where_one_may_not(unprivileged):
    unprivileged.chmod(0o500)
    assert code_of(unprivileged / "file") == "files.not_writable"
    assert list(unprivileged.iterdir()) == []


def test_a_full_device():
    assert code_of(Path("/dev/full")) == "files.disk_full"


@pytest.mark.parametrize("name", ["missing", "missing/below", "file/below", "x" * 300, "loop"])
def test_reading_what_is_not_there(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / name
    with pytest.raises(OperatorError, match="does not exist") as caught, reading_errors(path):
        path.read_bytes()
    assert caught.value.code == "files.not_found"


def test_reading_what_one_may_not(unprivileged):
    path = unprivileged / "file"
    path.touch(mode=0o000)
    with pytest.raises(OperatorError) as caught, reading_errors(path):
        path.read_bytes()
    assert caught.value.code == "files.not_readable"


def test_reading_a_folder(tmp_path):
    with pytest.raises(OperatorError) as caught, reading_errors(tmp_path):
        tmp_path.read_bytes()
    assert caught.value.code == "files.is_a_folder"


def test_reading_what_the_system_cannot_read():
    path = Path("/proc/self/mem")
    with pytest.raises(OperatorError) as caught, reading_errors(path), path.open("rb") as stream:
        stream.read(1)
    assert caught.value.code == "files.read_failed"


def test_what_a_decoder_says_is_not_taken_for_the_systems_word(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(b"no gzip at all")
    with pytest.raises(gzip.BadGzipFile), reading_errors(path), gzip.open(path) as stream:
        stream.read()


def test_whether_a_file_could_be_written_is_found_out_without_a_trace(tmp_path):
    files.check_writable(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").write_text("old")
    files.check_writable(tmp_path / "kept")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("kept", "old")]
    for path, code in (
        (tmp_path, "files.is_a_folder"),
        (tmp_path / "nowhere" / "report.html", "files.no_such_folder"),
        (Path("/proc/report.html"), "files.no_such_folder"),
    ):
        with pytest.raises(OperatorError) as caught:
            files.check_writable(path)
        assert caught.value.code == code
