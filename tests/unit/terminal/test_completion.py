"""Values for completion, and the tables of the scripts."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from x0tta_cli.core.completion import Line
from x0tta_cli.terminal.completion import bash, fish, values, zsh
from x0tta_cli.terminal.completion.tables import told
from x0tta_cli.terminal.options import Kind
from x0tta_cli.terminal.tree import Command, Parameter, command_tree, shared_options

WEIRD = 'it\'s "one" $HOME `two` \\ three: [four]'


def parameters(command: Command) -> list[Parameter]:
    return [*command.options, *command.arguments]


def test_every_kind_of_the_tree_is_known():
    every = [p for command in command_tree().walk() for p in parameters(command)]
    kinds = {p.values for p in [*every, *shared_options()] if isinstance(p.values, Kind)}
    assert kinds - {"file", "folder"} == set(values.KINDS)


@pytest.mark.parametrize("reference", values.KINDS.values())
def test_every_kind_has_values_or_none(reference):
    module, _, name = reference.partition(":")
    for value in getattr(import_module(module), name)(Line([], {})):
        assert isinstance(value, str) or len(value) == 2


def test_words_have_no_spaces_and_no_colons():
    for command in command_tree().walk():
        for parameter in [*parameters(command), *shared_options()]:
            words = parameter.values if isinstance(parameter.values, tuple) else ()
            assert not [word for word in words if not word or set(word) & set(" :\t\n")]
        assert not set(command.path[-1]) & set(" :\t\n")


def test_what_is_told_of_values():
    known = {p.names[-1]: told(p) for p in shared_options()}
    assert known["--output"] == "words:table wide json jsonl csv"
    assert known["--profile"] == "kind:profile"
    assert known["--config"] == "file"
    assert known["--timeout"] == "text"
    assert known["--quiet"] == ""
    run = next(c for c in command_tree().walk() if c.path == ("x0tta", "drill", "run"))
    of_run = {p.names[0]: told(p) for p in parameters(run)}
    assert (of_run["--data"], of_run["--html"]) == ("folder", "file")
    assert (of_run["INCIDENT"], of_run["--all"]) == ("kind:incident", "")


def test_a_prefix_and_what_can_be_shown_choose_the_values(monkeypatch):
    offered = [
        "a b",
        "\u202ea",
        "b",
        ("c", "what it means"),
        "-d",
        "e\nf",
        "",
        "g\u200dh",
        "\ud800",
    ]
    monkeypatch.setattr(values, "profiles", lambda _line: offered)
    assert [*values.lines_of("profile", "", [])] == ["a b", "b", "c\twhat it means", "g\u200dh"]
    assert [*values.lines_of("profile", "c", [])] == ["c\twhat it means"]
    assert [*values.lines_of("profile", "-", [])] == ["-d"]


@pytest.mark.parametrize("kind", values.KINDS)
def test_values_import_next_to_nothing(tmp_path, kind):
    script = (
        "import sys; before = set(sys.modules)\n"
        f"sys.argv = ['x0tta', '__complete', '{kind}', '']\n"
        "from x0tta_cli.__main__ import main\n"
        "main()\n"
        "print(*set(sys.modules) - before, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", script],
        env={"HOME": str(tmp_path), "X0TTA_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(ended.stderr.split())
    assert values.KINDS[kind].partition(":")[0] in imported
    if kind == "incident":
        assert len(ended.stdout.splitlines()) == 34
    assert not imported & {"typing", "re", "dataclasses", "pathlib", "typer", "pydantic", "tomllib"}


@pytest.mark.parametrize(
    ("writer", "shell", "show"),
    [
        (bash, "bash", '_x0tta_table "x0tta it\'s"; printf "%s\\n" "${operands[@]}"'),
        (
            zsh,
            "zsh",
            'compdef() { : }; _x0tta_table "x0tta it\'s"; print -lr -- $operands $switches[-2]',
        ),
        (fish, "fish", 'set entered "x0tta it\'s"; __x0tta_table; printf "%s\\n" $operands'),
    ],
)
def test_a_table_says_what_the_tree_says(writer, shell, show, tmp_path):
    """Also where words hold what a shell would interpret; nothing of it is run."""
    option = Parameter(("--odd",), "--odd", WEIRD, takes_value=False)
    argument = Parameter(("ODD",), "ODD", "", values=Kind(WEIRD), repeats=True)
    command = Command(("x0tta", "it's"), WEIRD, (), (option,), (argument,), ())
    tree = Command(("x0tta",), "", (), (), (), (), (command,))
    text = writer.script(tree, ())
    script = "compdef() { : }\n" * (shell == "zsh") + f"{text}\n{show}\n"
    (tmp_path / "script").write_text(script.replace("complete -o nosort", ": "))
    ended = subprocess.run(
        [shell, str(tmp_path / "script")], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert lines[0] == f"*kind:{WEIRD}"
    if shell == "zsh":
        assert lines[1] == f"--odd:{WEIRD}"
