"""The journal from the command line: what was killed is seen, gone on with, or cleaned up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from fakes.small_mesh import write_library

from x0tta_cli.core import journal
from x0tta_cli.drill.receiver import running_receiver

pytestmark = pytest.mark.slow

SCRIPT = str(Path(__file__).with_name("many_steps.py"))
SPECIFICATION = spec_from_file_location("many_steps", SCRIPT)
many_steps = module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(many_steps)
STEPS = 5
# One line for the operation, two for each step, one for the outcome.
LINES = 1 + 2 * STEPS + 1
PLACES = [f"KILL_{where}" for where in ("BEFORE", "AFTER")]


@pytest.fixture
def world(tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    return folder


@pytest.fixture
def many(environment, world):
    """Run x0tta with the group `many`; variables of the process by keyword."""

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, SCRIPT, *arguments],
            env=environment | {"WORLD": str(world)} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def records(environment, world, monkeypatch):
    """Let the test itself use the journal and the world of its processes."""
    monkeypatch.setenv("X0TTA_STATE_DIR", environment["X0TTA_STATE_DIR"])
    monkeypatch.setenv("WORLD", str(world))


@pytest.fixture
def start(environment, world):
    """Start x0tta with the group `many`, and end it after the test."""
    started = []

    def run(*arguments, **variables):
        process = subprocess.Popen(
            [sys.executable, SCRIPT, *arguments],
            env=environment | {"WORLD": str(world)} | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def listed(many, *arguments):
    return json.loads(many("ops", "list", "-o", "json", *arguments).stdout)


def shown(many, identifier):
    return json.loads(many("ops", "show", identifier, "-o", "json").stdout)


def interrupted(many, *arguments, after="4"):
    """Run and kill; the identifier of what is left."""
    ended = many(*(arguments or ("many", "run")), KILL_AFTER=after)
    assert ended.returncode == -signal.SIGKILL
    [left] = listed(many, "--unfinished")
    assert left["state"] == "interrupted"
    return left["id"]


def problem(ended):
    return json.loads(ended.stderr.splitlines()[-1])


def files(world):
    return {path.name.partition("-")[2]: path.read_text() for path in world.iterdir()}


def test_a_machine_without_a_journal_has_an_empty_list(x0tta, environment):
    ended = x0tta("ops", "list", "-o", "json")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")
    ended = x0tta("ops", "list")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "Nothing found.\n")
    assert not Path(environment["X0TTA_STATE_DIR"]).exists()


def told(record):
    """What the journal tells of an operation that is over, but for names and times."""
    return record.plan, record.state, record.done


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("line", range(1, LINES + 1))
@pytest.mark.slow
def test_killed_at_any_line_it_ends_where_an_undisturbed_run_does(
    many, world, records, where, line
):
    assert many("many", "run", **{where: str(line)}).returncode == -signal.SIGKILL
    if (where, line) == ("KILL_BEFORE", 1):
        assert (journal.operations(), files(world)) == ([], {})
        return
    [before] = journal.operations()
    is_over = (where, line) == ("KILL_AFTER", LINES)
    assert before.state == ("done" if is_over else "interrupted")
    written = {path.name: path.stat().st_mtime_ns for path in world.iterdir()}

    ended = many("ops", "resume", before.id, "-o", "json")
    assert (ended.returncode, ended.stderr) == (0, "")
    result = json.loads(ended.stdout)
    assert (result["state"], result["done_before"]) == ("done", list(before.done))
    assert result["done_now"] == [f"step {n}" for n in range(len(before.done), STEPS)]
    unrepeated = [f"{before.id}-{number}" for number in range(len(before.done))]
    assert [(world / name).stat().st_mtime_ns for name in unrepeated] == [
        written[name] for name in unrepeated
    ]
    disturbed = files(world)
    for path in world.iterdir():
        path.unlink()
    with journal.operation("many.run", {"steps": STEPS}) as operation:
        many_steps.take_steps(operation)
    assert disturbed == files(world)
    resumed, whole = journal.operations()
    assert told(resumed) == told(whole)
    assert journal.operations(unfinished=True) == []


@pytest.mark.slow
def test_a_resumption_that_is_killed_as_well_can_be_resumed(many, world):
    identifier = interrupted(many)
    for _ in range(STEPS):
        ended = many("ops", "resume", identifier, KILL_BEFORE="3")
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        assert listed(many, "--unfinished")[0]["state"] == "interrupted"
    assert many("ops", "resume", identifier).returncode == 0
    assert shown(many, identifier)["state"] == "done"
    assert len(files(world)) == STEPS


NOTICE = """
import sys
from many_steps import die_at_a_line, deliver_to_one_receiver
from datetime import UTC, datetime
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.drill import tell
die_at_a_line()
deliver_to_one_receiver()
tell.rehearse(Notice("Practice", Severity.WARNING, {"component": "cart"},
    datetime(2026, 1, 2, tzinfo=UTC), annotations={"summary": "größer"}), AlertSettings())
"""


def alerts_at(receiver):
    """All that a receiver has been told, also what is resolved."""
    return {
        alert.fingerprint: (
            dict(alert.labels),
            dict(alert.annotations),
            alert.starts_at,
            alert.ends_at <= alert.updated_at,
        )
        for alert in receiver._alerts.values()
    }


def deliver(environment, url, **variables):
    return subprocess.run(
        [sys.executable, "-c", NOTICE],
        env=environment | {"PYTHONPATH": str(Path(SCRIPT).parent), "RECEIVER": url} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("line", range(2, 7))
@pytest.mark.slow
def test_a_delivery_killed_at_any_line_ends_as_an_undisturbed_one(
    many, environment, records, where, line
):
    with running_receiver() as receiver:
        assert deliver(environment, receiver.base_url).returncode == 0
        undisturbed = alerts_at(receiver)
    assert [alert[3] for alert in undisturbed.values()] == [True]
    with running_receiver() as receiver:
        ended = deliver(environment, receiver.base_url, **{where: str(line)})
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        identifier = journal.operations()[-1].id
        ended = many("ops", "resume", identifier, "-o", "json", RECEIVER=receiver.base_url)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert alerts_at(receiver) == undisturbed
        with urllib.request.urlopen(f"{receiver.base_url}/api/v2/alerts") as answer:
            assert json.load(answer) == []
    whole, resumed = journal.operations()
    assert told(resumed) == told(whole)


@pytest.mark.slow
def test_a_drill_that_was_killed_can_be_gone_on_with(many, tmp_path):
    library = write_library(tmp_path / "recordings")
    identifier = interrupted(many, "drill", "--data", str(library), after="4")
    ended = many("ops", "resume", identifier)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"drill.tell {identifier} is done: 1 step done before, now resolve.\n"


def test_what_runs_elsewhere_is_a_conflict_and_can_be_waited_for(many, start):
    runner = start("many", "run", SLOW="1.5")
    while not (found := listed(many, "--unfinished")):
        time.sleep(0.05)
    identifier = found[0]["id"]
    ended = many("ops", "resume", identifier, "-o", "json")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert problem(ended)["code"] == "journal.running"
    assert problem(ended)["context"] == {"operation": identifier, "pid": runner.pid}
    ended = many("ops", "clean", identifier, "--yes", "-o", "json")
    assert (ended.returncode, problem(ended)["code"]) == (5, "journal.running")
    ended = many("ops", "resume", identifier, "--lock-timeout", "50s", "-o", "json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["state"] == "done"
    assert runner.wait() == 0


def test_of_two_resumptions_at_once_one_does_the_work(many, start):
    identifier = interrupted(many)
    line = ("ops", "resume", identifier, "--lock-timeout", "50s", "-o", "json")
    both = [start(*line, SLOW="0.1") for _ in range(2)]
    results = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert {result["state"] for result in results} == {"done"}
    steps = [step["name"] for step in shown(many, identifier)["steps"] if step["state"] == "done"]
    assert steps == [f"step {number}" for number in range(STEPS)]


def test_one_that_waits_goes_on_when_the_other_is_killed(many, start, world):
    runner = start("many", "run", SLOW="0.3")
    while not (found := listed(many, "--unfinished")):
        time.sleep(0.05)
    waiting = start("ops", "resume", found[0]["id"], "--lock-timeout", "50s", "-o", "json")
    while len(files(world)) < 2:
        time.sleep(0.05)
    runner.kill()
    output, _ = waiting.communicate()
    assert (waiting.returncode, json.loads(output)["state"]) == (0, "done")
    assert len(files(world)) == STEPS


@pytest.mark.parametrize("command", ["show", "resume", "clean"])
def test_an_unknown_operation_is_not_found(many, command):
    ended = many("ops", command, "0e9q4mx1c7ab", "-o", "json")
    assert (ended.returncode, problem(ended)["code"]) == (4, "journal.unknown_operation")


def test_a_kind_that_nobody_can_resume_is_said_to_be_so(many, x0tta):
    identifier = interrupted(many, "many", "unknown")
    for run, options in ((many, []), (x0tta, []), (x0tta, ["--dry-run"])):
        ended = run("ops", "resume", identifier, "-o", "json", *options)
        assert (ended.returncode, problem(ended)["code"]) == (8, "ops.not_resumable")
        assert f"x0tta ops clean {identifier}" in problem(ended)["fix"]


def test_what_has_failed_is_over(many):
    assert many("many", "run", DOWN="3").returncode == 7
    [operation] = listed(many)
    assert operation["state"] == "failed"
    for line in (["resume"], ["resume", "--dry-run"], ["clean", "--yes"]):
        ended = many("ops", line[0], operation["id"], "-o", "json", *line[1:])
        assert (ended.returncode, problem(ended)["code"]) == (5, "journal.over")


def test_an_error_while_going_on_leaves_the_way_back_open(many, world):
    identifier = interrupted(many)
    ended = many("ops", "resume", identifier, "-o", "json", DOWN="3")
    assert (ended.returncode, problem(ended)["code"]) == (7, "http.unreachable")
    assert problem(ended)["fix"] == (f"Start it. Then go on with it: x0tta ops resume {identifier}")
    assert listed(many)[0]["state"] == "interrupted"
    assert many("ops", "resume", identifier).returncode == 0
    assert len(files(world)) == STEPS


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_while_going_on_leaves_the_way_back_open(many, start, world, name, status):
    identifier = interrupted(many)
    resuming = start("ops", "resume", identifier, SLOW="0.3")
    while len(files(world)) < 3:
        time.sleep(0.05)
    resuming.send_signal(signal.Signals[name])
    _, errors = resuming.communicate()
    assert resuming.returncode == status
    assert f"x0tta ops resume {identifier}" in errors
    assert listed(many)[0]["state"] == "interrupted"
    assert many("ops", "resume", identifier).returncode == 0
    assert len(files(world)) == STEPS


def test_an_interrupted_operation_refuses_another_on_the_same_object(many):
    assert many("many", "beside").returncode == 0
    identifier = interrupted(many)
    ended = many("many", "beside", "-o", "json")
    assert (ended.returncode, problem(ended)["code"]) == (5, "journal.interrupted")
    assert problem(ended)["fix"] == f"x0tta ops resume {identifier}"
    assert problem(ended)["reason"] == f"Operation {identifier} stopped in the step 'step 1'."
    many("ops", "resume", identifier)
    assert many("many", "beside").returncode == 0


def test_a_plan_changes_nothing(many, world):
    identifier = interrupted(many)
    before = shown(many, identifier), files(world)
    for line in (["resume", identifier], ["clean"]):
        ended = many("ops", *line, "--dry-run", "--exit-code", "-o", "json")
        assert (ended.returncode, json.loads(ended.stdout)["would_change"]) == (3, True)
    assert (shown(many, identifier), files(world)) == before
    many("ops", "resume", identifier)
    for line in (["resume", identifier], ["clean"]):
        ended = many("ops", *line, "--dry-run", "--exit-code", "-o", "json")
        assert (ended.returncode, json.loads(ended.stdout)["would_change"]) == (0, False)


def test_read_only_refuses_what_changes_and_shows_the_rest(many):
    identifier = interrupted(many)
    for line in (["resume", identifier], ["clean"]):
        assert many("ops", *line, X0TTA_READ_ONLY="1").returncode == 6
    for line in (["list"], ["show", identifier], ["clean", "--dry-run"]):
        assert many("ops", *line, X0TTA_READ_ONLY="1").returncode == 0


def test_cleaning_removes_what_a_kill_left_and_gives_the_operation_up(many, world, environment):
    identifier = interrupted(many, after="6")
    assert many("many", "run").returncode == 0
    state = Path(environment["X0TTA_STATE_DIR"])
    old, fresh = state / ".x0tta-0123.tmp", state / ".x0tta-4567.tmp"
    for path in (old, fresh):
        path.write_text("half")
    os.utime(old, (0, 0))
    planned = json.loads(many("ops", "clean", "--dry-run", "-o", "json").stdout)
    names = [f"{identifier}-0", f"{identifier}-1", str(old)]
    assert [thing["name"] for thing in planned["removed"]] == names

    ended = many("ops", "clean", "-o", "json")
    assert (ended.returncode, problem(ended)["code"]) == (2, "usage.no_terminal")
    assert old.exists()
    ended = many("ops", "clean", "--yes", "-o", "json")
    cleaned = json.loads(ended.stdout)
    assert (ended.returncode, cleaned["would_change"]) == (0, False)
    assert [thing["name"] for thing in cleaned["removed"]] == names
    assert cleaned["given_up"] == [{"id": identifier, "kind": "many.run"}]
    assert (old.exists(), fresh.exists()) == (False, True)
    assert not list(world.glob(f"{identifier}-*"))
    assert len(files(world)) == STEPS
    assert [item["state"] for item in listed(many)] == ["cancelled", "done"]
    assert "Nothing was left behind." in many("ops", "clean").stdout


def test_what_is_not_known_to_be_safe_is_kept_until_it_is_named(many, x0tta):
    identifier = interrupted(many, "many", "unknown")
    ended = x0tta("ops", "clean", "--yes", "-o", "json")
    cleaned = json.loads(ended.stdout)
    assert (ended.returncode, cleaned["given_up"]) == (0, [])
    assert [kept["id"] for kept in cleaned["kept"]] == [identifier]
    assert listed(many)[0]["state"] == "interrupted"
    ended = x0tta("ops", "clean", identifier, "--yes", "-o", "json")
    assert json.loads(ended.stdout)["given_up"] == [{"id": identifier, "kind": "many.unknown"}]
    assert listed(many)[0]["state"] == "cancelled"


def test_two_cleanings_at_once(many, environment, start):
    interrupted(many)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom x0tta_cli.core import locks\n"
            "with locks.hold('ops clean'):\n print('held', flush=True)\n sys.stdin.read()",
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    ended = many("ops", "clean", "--yes", "-o", "json")
    assert (ended.returncode, problem(ended)["code"]) == (5, "locks.held")
    waiting = start("ops", "clean", "--yes", "--lock-timeout", "50s", "-o", "json")
    holder.communicate()
    output, _ = waiting.communicate()
    assert (waiting.returncode, len(json.loads(output)["given_up"])) == (0, 1)


def test_a_bad_duration_is_refused_before_anything_happens(many):
    identifier = interrupted(many)
    for line in (["resume", identifier], ["clean", "--yes"]):
        ended = many("ops", *line, "--lock-timeout", "5", "-o", "json")
        assert (ended.returncode, problem(ended)["code"]) == (2, "times.bad_duration")
    assert listed(many)[0]["state"] == "interrupted"


def test_the_table_says_how_to_go_on(many):
    identifier = interrupted(many)
    table = many("ops", "list").stdout
    assert f"x0tta ops resume {identifier}" in table
    page = many("ops", "show", identifier).stdout
    assert f"x0tta ops resume {identifier}" in page
    assert "interrupted" in page
