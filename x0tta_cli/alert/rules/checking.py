"""Finds what is wrong with rules and routing, beside promtool and amtool by rules of our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.alert.rules import documents, routing, shipped
from x0tta_cli.alert.rules.model import Checked, Rule, RuleFinding, WrittenRule
from x0tta_cli.alert.rules.places import RULES, places_of, texts
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings

OWN = "x0tta"
TOOL_S = 60.0
_COUNTED = re.compile(r"\b(?:increase|changes|resets)\s*\([^\[\]]*\[(\w+)\]\s*\)\s*>=?\s*[01]\b")
_VERSION = re.compile(r"version (\d[\w.]*)")


def check(target: Path | None, settings: AlertSettings) -> Checked:
    """Check the rules as configured, or those that stand in a file or folder.

    Raises ConfigurationError `alert.unknown_rule`, and `files.*`.
    """
    if target is not None:
        places = [(path, name) for path, name in places_of(target) if path.exists()]
        if not places:
            places = list(places_of(target))[:1]
        return _checked(places)
    with tempfile.TemporaryDirectory(prefix="x0tta-") as folder:
        for name, text in texts(settings).items():
            (Path(folder) / name).write_text(text)
        found = _checked(list(places_of(Path(folder))))
    named = tuple(
        RuleFinding(each.where.replace(f"{folder}/", ""), each.code, each.message)
        for each in found.findings
    )
    names = tuple(Path(file).name for file in found.files)
    return Checked(names, found.rules, found.tools, (*findings_of(settings), *named))


def findings_of(settings: AlertSettings) -> tuple[RuleFinding, ...]:
    """Tell what in the configuration makes rules that can't work; raises as `shipped.groups`."""
    rules = [rule for group in shipped.groups(settings.rules) for rule in group.rules]
    return (*(each for rule in rules for each in _too_short(rule)), *routing.findings(settings))


def _too_short(rule: Rule) -> Iterator[RuleFinding]:
    if rule.period is None or rule.window is None:
        return
    if rule.window <= rule.period + rule.after:
        yield RuleFinding(
            rule.name,
            "window_too_short",
            f"its window ({rule.window}) is no longer than the time between two events "
            f"({rule.period}) and what it waits ({rule.after}): it would end between them, or "
            "never fire",
        )


def _checked(places: Sequence[tuple[Path, str]]) -> Checked:
    findings: list[RuleFinding] = []
    tools, count = [OWN], 0
    for path, name in places:
        is_rules = name == RULES
        try:
            if is_rules:
                written = documents.read_rules(path)
                count += len(written)
                findings += _wrong_in(path, written)
            else:
                documents.read_yaml(path)
        except OperatorError as error:
            if error.code != "alert.bad_rule_file":
                raise
            findings.append(RuleFinding(str(path), "unreadable", error.reason or str(error)))
        command = ["promtool", "check", "rules"] if is_rules else ["amtool", "check-config"]
        version, said = _asked([*command, str(path)])
        if version:
            tools.append(f"{command[0]} {version}")
        if said:
            findings.append(RuleFinding(str(path), command[0], said))
    return Checked(
        tuple(str(path) for path, _ in places), count, tuple(dict.fromkeys(tools)), tuple(findings)
    )


def _wrong_in(path: Path, rules: Sequence[WrittenRule]) -> Iterator[RuleFinding]:
    """Find what promtool lets through."""
    words = {severity.value for severity in Severity}
    for rule in rules:
        where = f"{path}: {rule.name}"
        if rule.labels.get("severity") not in words:
            message = f"its label severity is none of {', '.join(sorted(words))}"
            yield RuleFinding(where, "no_severity", message)
        for name in ("summary", "description"):
            if not rule.annotations.get(name):
                yield RuleFinding(where, "no_text", f"it has no {name}")
        if any(rule.after >= window for window in _windows_of_events(rule.expression)):
            message = (
                f"it waits {rule.after}, but a single event is counted no longer than its window: "
                "it never fires"
            )
            yield RuleFinding(where, "never_fires", message)


def _windows_of_events(expression: str) -> Iterator[timedelta]:
    for text in _COUNTED.findall(expression):
        try:
            yield documents.read_duration(text)
        except ValueError:
            # promtool says so in words of its own.
            continue


def _asked(command: Sequence[str]) -> tuple[str, str]:
    """Run a tool where there is one; gives its version and what it complains of."""
    program = shutil.which(command[0])
    if program is None:
        return "", ""
    try:
        told = _run([program, "--version"])
        done = _run([program, *command[1:]])
    except (subprocess.TimeoutExpired, OSError) as error:
        return "", f"it can't be run: {error}"
    version = _VERSION.search(told.stdout + told.stderr)
    said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
    return (version[1] if version else "of an unknown version"), (
        said[:2000] or f"status {done.returncode}"
    ) if done.returncode else ""


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TOOL_S, check=False, errors="replace"
    )
