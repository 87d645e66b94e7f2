"""`x0tta ebpf attach`, `detach`, `list`, `probe` and `clean`, as their users run them."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import veth

pytestmark = pytest.mark.slow

ROW = {
    "interface",
    "netns",
    "mode",
    "attachment",
    "program",
    "id",
    "owner",
    "operation",
    "expires_at",
    "pinned_at",
}
X0TTA = str(Path(sys.executable).with_name("x0tta"))
WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture
def pair():
    with veth.veth_pair() as made:
        yield made


@pytest.fixture
def filesystem(tmp_path):
    with veth.bpf_filesystem(tmp_path / "bpf") as folder:
        yield folder


@pytest.fixture
def environment(environment, filesystem):
    return environment | {"X0TTA_EBPF__BPF_FILESYSTEM": str(filesystem)}


@pytest.fixture
def ebpf(x0tta, pair):
    """Run a command of the group in the namespace of the pair."""

    def run(command, *words, **options):
        return x0tta("ebpf", command, *words, "--netns", pair.netns, **options)

    yield run
    x0tta("ebpf", "detach", "near", "--netns", pair.netns)


def problem_of(ended) -> dict:
    return json.loads(ended.stderr.splitlines()[-1])


def test_attach_list_and_detach_tell_the_same_in_json(ebpf, pair, filesystem):
    ended = ebpf("attach", "near", "--program", "count", "-o", "json")
    assert (ended.returncode, ended.stderr) == (0, "")
    [attached] = json.loads(ended.stdout)["attached"]
    [row] = json.loads(ebpf("list", "-o", "json").stdout)
    assert set(row) >= ROW
    assert row["id"] == attached["id"] == pair.programs()[0]
    assert (row["owner"], row["attachment"], row["mode"]) == ("x0tta", "link", "generic")
    assert (row["netns"], row["expires_at"]) == (pair.netns, None)
    assert Path(row["pinned_at"]).parent == filesystem / "x0tta"
    again = json.loads(ebpf("attach", "near", "--program", "count", "-o", "json").stdout)
    assert again["attached"][0]["changed"] is False
    [gone] = json.loads(ebpf("detach", "near", "-o", "json").stdout)["detached"]
    assert (gone["changed"], gone["id"], gone["still_loaded"]) == (True, row["id"], False)
    [nothing] = json.loads(ebpf("detach", "near", "-o", "json").stdout)["detached"]
    assert nothing["changed"] is False
    assert ebpf("list", "-o", "json").stdout == "[]\n"


def test_detach_takes_the_program_that_is_named_and_no_other(ebpf, pair):
    ebpf("attach", "near", "--program", "count")
    [kept] = pair.programs()
    other = json.loads(ebpf("detach", "near", "--program", "flows", "-o", "json").stdout)
    assert [row["changed"] for row in other["detached"]] == [False]
    assert pair.programs() == [kept]
    assert ebpf("detach", "near", "--program", "count").returncode == 0
    assert pair.programs() == []


def test_a_dry_run_changes_nothing_and_has_its_own_status(ebpf, pair):
    plan = ["attach", "near", "--program", "count", "--at-least", "native", "--dry-run"]
    ended = ebpf(*plan, "--exit-code")
    assert ended.returncode == 3
    assert "20 to 5 Gb/s" in ended.stdout
    assert pair.programs() == []
    ebpf(*plan[:-1])
    assert ebpf(*plan, "--exit-code").returncode == 0
    ended = ebpf("detach", "near", "--dry-run", "--exit-code")
    assert ended.returncode == 3
    assert len(pair.programs()) == 1


def test_a_program_that_can_drop_wants_an_end_or_a_yes(ebpf, pair):
    line = ["attach", "near", "--program", "drop", "--param", "probability=0"]
    refused = ebpf(*line)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert pair.programs() == []
    assert ebpf(*line, "--yes").returncode == 0
    assert len(pair.programs()) == 1
    ebpf("detach", "near")
    assert ebpf(*line, "--for", "1m").returncode == 0


def test_for_ends_it_although_the_command_is_long_gone(ebpf, pair):
    ended = ebpf("attach", "near", "--program", "count", "--for", "1s")
    assert ended.returncode == 0
    assert veth.until(lambda: pair.programs() == [])


def test_the_self_check_tells_who_was_cut_off(ebpf, pair):
    ended = ebpf(
        *("attach", "near", "--program", "drop", "--param", "probability=1", "--strict"),
        *("--keep", veth.FAR, "--for", "1m", "-o", "json"),
    )
    assert (ended.returncode, ended.stdout) == (7, "")
    problem = problem_of(ended)
    assert problem["code"] == "ebpf.self_check_failed"
    assert problem["context"]["hosts"] == [veth.FAR]
    assert pair.programs() == []


def test_kept_hosts_still_answer_when_all_else_is_lost(ebpf, pair):
    ended = ebpf(
        *("attach", "near", "--program", "drop", "--param", "probability=1"),
        *("--keep", veth.FAR, "--for", "1m"),
    )
    assert ended.returncode == 0, ended.stderr
    assert pair.ping() == 1


def test_another_program_is_a_conflict(ebpf, pair):
    ebpf("attach", "near", "--program", "count")
    ended = ebpf("attach", "near", "--program", "flows", "-o", "json")
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (5, "ebpf.program_in_use")
    assert problem["context"]["id"] == pair.programs()[0]
    swapped = ebpf("attach", "near", "--program", "flows", "--replace", str(pair.programs()[0]))
    assert swapped.returncode == 0


def test_of_two_at_once_one_attaches_and_the_other_is_told(environment, pair, ebpf):
    line = [X0TTA, "ebpf", "attach", "near", "--netns", pair.netns, "--program"]
    both = [
        subprocess.Popen([*line, name], env=environment, stderr=subprocess.PIPE, stdout=-3)
        for name in ("count", "flows")
    ]
    for one in both:
        one.communicate(timeout=30)
    assert sorted(one.returncode for one in both) == [0, 5]
    assert len(pair.programs()) == 1
    assert len(json.loads(ebpf("list", "-o", "json").stdout)) == 1


def test_weaker_than_at_least_is_unsupported_with_nothing_attached(ebpf, pair):
    from x0tta_cli.ebpf.loading import OBJECTS

    pair.set_mtu(9000)
    plain = str(OBJECTS / "count.bpf.o")
    line = ("attach", "near", "--program", plain, "--at-least", "native", "--yes")
    ended = ebpf(*line, "-o", "json")
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (8, "ebpf.mode_refused")
    assert "veth: Peer MTU is too large to set XDP" in problem["reason"]
    assert pair.programs() == []


@pytest.mark.parametrize("command", ["attach", "list", "clean"])
def test_without_capabilities_the_missing_one_is_named(environment, pair, command):
    words = {"attach": ["near", "--program", "count"], "list": [], "clean": []}[command]
    ended = subprocess.run(
        [*WITHOUT_CAPABILITIES, X0TTA, "ebpf", command, *words, "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (6, "ebpf.not_permitted")
    wanted = "CAP_NET_ADMIN" if command == "attach" else "CAP_SYS_ADMIN"
    assert wanted in problem["context"]["capabilities"]


@pytest.mark.parametrize(
    "words",
    [
        "detach near",
        "stats near",
        "top near --once",
        "drops near --recent",
        "block list",
        "block add 198.18.7.0/24 --yes",
        "export --textfile x0tta.prom",
        "record some.csv --for 1s",
    ],
)
def test_what_may_not_be_seen_is_not_taken_for_absent(environment, ebpf, pair, tmp_path, words):
    ebpf("attach", "near", "--program", "filter", "--for", "1m")
    entered = ["nsenter", f"--net=/run/netns/{pair.netns}", *WITHOUT_CAPABILITIES]
    ended = subprocess.run(
        [*entered, X0TTA, "ebpf", *words.split(), "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    problem = problem_of(ended)
    assert (ended.returncode, ended.stdout) == (6, "")
    assert problem["context"]["capabilities"] == ["CAP_SYS_ADMIN"]
    assert pair.programs() != []
    assert not (tmp_path / "x0tta.prom").exists()


def test_a_program_that_may_not_be_seen_is_in_the_way_and_nobody_elses(environment, ebpf, pair):
    ebpf("attach", "near", "--program", "filter", "--for", "1m")
    [identifier] = pair.programs()
    blind = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"]
    words = ["near", "--program", "drop", "--param", "probability=1", "--for", "1m", "-o", "json"]
    ended = subprocess.run(
        ["nsenter", f"--net=/run/netns/{pair.netns}", *blind, X0TTA, "ebpf", "attach", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (5, "ebpf.program_in_use")
    assert "owner" not in problem["detail"]
    assert "CAP_SYS_ADMIN" in problem["reason"]
    assert pair.programs() == [identifier]


def test_what_would_keep_what_is_asked_for_is_named_with_its_namespace(ebpf, pair):
    ended = ebpf("top", "near", "--once", "-o", "json")
    assert ended.returncode == 4
    assert (
        problem_of(ended)["fix"] == f"x0tta ebpf attach near --netns {pair.netns} --program flows"
    )


@pytest.mark.parametrize(
    ("words", "capability"),
    [
        ("attach lo --program count", "CAP_BPF"),
        ("attach lo --program count --dry-run", "CAP_BPF"),
        ("list", "CAP_SYS_ADMIN"),
        ("clean", "CAP_SYS_ADMIN"),
    ],
)
def test_the_capabilities_of_a_user_namespace_are_none_for_bpf(environment, words, capability):
    line = ["unshare", "--user", "--map-root-user", "--net", X0TTA, "ebpf", *words.split()]
    ended = subprocess.run(
        [*line, "-o", "json"], env=environment, capture_output=True, text=True, check=False
    )
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (6, "ebpf.not_permitted")
    assert capability in problem["context"]["capabilities"]
    assert "outside of the user namespace" in problem["fix"]


def test_who_may_not_see_all_links_still_knows_and_takes_off_its_own(environment, pair):
    line = ["nsenter", f"--net=/run/netns/{pair.netns}"]
    line += ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all", X0TTA, "ebpf"]

    def run(*words):
        ended = subprocess.run(
            [*line, *words, "-o", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    [first] = run("attach", "near", "--program", "count")["attached"]
    [again] = run("attach", "near", "--program", "count")["attached"]
    assert (again["changed"], again["id"]) == (False, first["id"])
    assert any("CAP_SYS_ADMIN" in note for note in again["notes"])
    [gone] = run("detach", "near")["detached"]
    assert (gone["changed"], gone["id"]) == (True, first["id"])
    assert pair.programs() == []


def test_without_the_capability_to_ask_hosts_nothing_that_can_drop_is_attached(environment, pair):
    line = [
        "setpriv",
        "--bounding-set=-net_raw",
        "--inh-caps=-all",
        X0TTA,
        "ebpf",
        "attach",
        "near",
    ]
    line += ["--netns", pair.netns, "--program", "filter", "--keep", veth.FAR, "--for", "1m"]
    ended = subprocess.run(
        [*line, "-o", "json"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 6, ended.stderr
    assert problem_of(ended)["context"]["capabilities"] == ["CAP_NET_RAW"]
    assert pair.programs() == []


def test_a_probe_says_what_is_missing_and_ends_well(environment, pair):
    entered = ["nsenter", f"--net=/run/netns/{pair.netns}"]
    ended = subprocess.run(
        [*entered, *WITHOUT_CAPABILITIES, X0TTA, "ebpf", "probe", "lo", "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    host = json.loads(ended.stdout)["host"]
    assert ended.returncode == 0
    assert host["missing_capabilities"] == [
        "CAP_BPF",
        "CAP_NET_ADMIN",
        "CAP_PERFMON",
        "CAP_SYS_ADMIN",
    ]
    assert not any(trial["works"] for trial in host["trials"] if trial["name"] == "XDP program")
    # Told in the first network namespace alone: not to know it is not to have none.
    assert host["jit"] is None


def test_status_without_capabilities_tells_that_there_are_programs(environment, ebpf, pair):
    ebpf("attach", "near", "--program", "count")
    line = ["nsenter", f"--net=/run/netns/{pair.netns}", *WITHOUT_CAPABILITIES, X0TTA, "status"]
    ended = subprocess.run(
        [*line, "-o", "json"], env=environment, capture_output=True, text=True, check=False
    )
    [told] = [one for one in json.loads(ended.stdout)["lines"] if one["group"] == "ebpf"]
    assert "near" in told["summary"]
    assert told["next"] == "sudo x0tta ebpf list"


@pytest.fixture
def without_libbpf(environment, pair):
    """Run a command of the group where something else stands in the place of libbpf."""
    ctypes.CDLL("libbpf.so.1")
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    library = next(line.split()[-1] for line in mapped if "libbpf.so" in line)
    hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', library]

    def run(*words):
        line = [*hidden, X0TTA, "ebpf", *words, "--netns", pair.netns, "-o", "json"]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)

    return run


def test_without_libbpf_loading_names_the_package_and_all_else_works(without_libbpf, ebpf, pair):
    ended = without_libbpf("attach", "near", "--program", "count")
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (8, "ebpf.no_libbpf")
    assert "libbpf1" in problem["fix"]
    ebpf("attach", "near", "--program", "count")
    probed = json.loads(without_libbpf("probe", "near").stdout)
    assert probed["host"]["libbpf"] is None
    [listed] = json.loads(without_libbpf("list").stdout)
    assert (listed["program"], listed["owner"]) == ("count", "x0tta")
    [gone] = json.loads(without_libbpf("detach", "near").stdout)["detached"]
    assert (gone["changed"], pair.programs()) == (True, [])


def test_inside_ip_netns_exec_the_way_out_is_named(environment, pair):
    line = ["ip", "netns", "exec", pair.netns, X0TTA, "ebpf", "attach", "near"]
    ended = subprocess.run(
        [*line, "--program", "count", "-o", "json"],
        env=environment | {"X0TTA_EBPF__BPF_FILESYSTEM": "/sys/fs/bpf"},
        capture_output=True,
        text=True,
        check=False,
    )
    problem = problem_of(ended)
    assert (ended.returncode, problem["code"]) == (8, "ebpf.no_bpf_filesystem")
    assert "--netns" in problem["fix"]
    assert pair.programs() == []


def test_read_only_refuses_and_plans(ebpf, pair):
    line = ["attach", "near", "--program", "count"]
    assert ebpf(*line, "--read-only").returncode == 6
    assert ebpf(*line, "--read-only", "--dry-run").returncode == 0
    assert pair.programs() == []


def test_detach_and_list_go_on_beside_a_broken_configuration_and_journal(ebpf, pair, tmp_path):
    ebpf("attach", "near", "--program", "count")
    (tmp_path / "broken.toml").write_text("[ebpf\n")
    (tmp_path / "state" / "journal.sqlite3").write_text("no database")
    ended = ebpf("detach", "near", "--config", str(tmp_path / "broken.toml"))
    assert ended.returncode == 0, ended.stderr
    assert "without the configuration" in ended.stderr
    assert pair.programs() == []


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["attach", "nowhere", "--program", "count"], 4, "ebpf.no_such_interface"),
        (["attach", "near", "--program", "cuont"], 4, "ebpf.no_such_program"),
        (["attach", "near", "--program", "count", "--mode", "fast"], 2, "usage.bad_value"),
        (["attach", "near", "--program", "count", "--param", "x"], 2, "usage.bad_value"),
        (["attach", "near", "--program", "count", "--for", "10"], 2, "times.bad_duration"),
        (["attach", "near", "--program", "count", "--for", "0s"], 2, "usage.bad_value"),
        (["attach", "near", "--program", "count", "--for", "5000000w"], 2, "usage.bad_value"),
        (["detach", "near", "--id", "4000000"], 4, "ebpf.not_attached"),
    ],
)
def test_mistakes_have_their_code(ebpf, words, status, code):
    ended = ebpf(*words, "-o", "json")
    assert (ended.returncode, problem_of(ended)["code"], ended.stdout) == (status, code, "")


def test_what_happens_while_following_is_a_line_each(ebpf):
    ended = ebpf("attach", "near", "--program", "count", "--follow", "--for", "1s", "--utc")
    assert ended.returncode == 0, ended.stderr
    instant = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"
    assert re.fullmatch(rf"{instant} near attached: generic, id [0-9]+\n", ended.stdout)


def test_follow_streams_what_happens_and_ends_after_cleaning_up(environment, pair, ebpf):
    line = [X0TTA, "ebpf", "attach", "near", "--netns", pair.netns, "--program", "count"]
    with subprocess.Popen(
        [*line, "--follow", "-o", "json"], env=environment, stdout=subprocess.PIPE, text=True
    ) as follower:
        first = json.loads(follower.stdout.readline())
        assert (first["event"], first["interface"]) == ("attached", "near")
        pair.recreate()
        events = [json.loads(follower.stdout.readline())]
        while events[-1]["event"] != "attached":
            events.append(json.loads(follower.stdout.readline()))
        assert events[-1]["index"] != first["index"]
        os.kill(follower.pid, signal.SIGTERM)
        assert follower.wait(10) == 143
    assert pair.programs() == [events[-1]["id"]]


def test_status_and_ops_know_what_is_attached_and_what_was_interrupted(ebpf, x0tta, pair):
    ebpf("attach", "near", "--program", "count")
    shown = json.loads(x0tta("status", "-o", "json").stdout)["lines"]
    [line] = [one for one in shown if one["group"] == "ebpf"]
    assert "count on near" in line["summary"]
    kinds = [one["kind"] for one in json.loads(x0tta("ops", "list", "-o", "json").stdout)]
    assert kinds == ["ebpf.attach"]


def test_clean_removes_the_pin_of_a_vanished_interface(ebpf, x0tta, pair):
    ended = ebpf("attach", "near", "--program", "count", "-o", "json")
    [attached] = json.loads(ended.stdout)["attached"]
    pair.ip("link", "delete", "near")
    planned = x0tta("ebpf", "clean", "--dry-run", "--exit-code", "-o", "json")
    assert planned.returncode == 3
    found = json.loads(x0tta("doctor", "ebpf", "-o", "json").stdout)["checks"]
    codes = [finding["code"] for check in found for finding in check["findings"]]
    assert codes == ["ebpf.dead_pin"]
    removed = json.loads(x0tta("ebpf", "clean", "-o", "json").stdout)["removed"]
    assert [one["name"] for one in removed] == [attached["pinned_at"]]
    assert not Path(attached["pinned_at"]).exists()
    pair.recreate_missing()


@pytest.mark.parametrize("command", ["attach", "detach"])
def test_the_manual_way_out_is_in_the_help(x0tta, command):
    assert "bpftool link detach id N" in x0tta("ebpf", command, "--help").stdout
