"""The installation: extras and their versions, and the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from importlib import metadata

from x0tta_cli.core import extras
from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.notices import Severity

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)(?:;\s*(.*))?")
_COMPARISONS = {
    "==": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
}


def look_at_extra(extra: str, _surroundings: Surroundings) -> Observed:
    """See whether an extra is installed, and in the versions that x0tta was made for."""
    absent = extras.missing(extra)
    if len(absent) == len(extras.EXTRAS[extra]):
        return Observed(findings=(_not_installed(extra),))
    findings = [_incomplete(extra, name) for name in absent]
    findings += wrong_versions(extra)
    return Observed("" if findings else extra, tuple(findings))


def look_at_base(_surroundings: Surroundings) -> Observed:
    """See whether what x0tta always needs is there in the right versions."""
    return Observed(f"x0tta {metadata.version('x0tta')}", tuple(wrong_versions(None)))


def look_at_configuration(surroundings: Surroundings) -> Observed:
    """Find all that is wrong with the configuration, of every section."""
    problems = surroundings.configuration.check(surroundings.models)
    findings = tuple(Finding.from_error(problem, "configuration") for problem in problems)
    return Observed("" if findings else "valid", findings)


INSTALLATION = (
    Check("base", look_at_base),
    *(Check(extra, partial(look_at_extra, extra)) for extra in extras.EXTRAS),
)
CONFIGURATION = (Check("configuration", look_at_configuration),)


def wrong_versions(extra: str | None) -> Iterator[Finding]:
    """Compare installed versions with the declared ranges of an extra, None for the base's."""
    for name, wanted in declared(extra):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if not satisfies(found, wanted):
            target = f"x0tta[{extra}]" if extra else "x0tta"
            yield Finding(
                "doctor.wrong_version",
                Severity.WARNING,
                name,
                f"{name} {found} is installed; x0tta is made for {name}{wanted}.",
                f"pip install '{target}' '{name}{wanted}'",
            )


def declared(extra: str | None) -> list[tuple[str, str]]:
    """List the packages that x0tta's own metadata names for an extra, and their ranges."""
    found = []
    for line in metadata.requires("x0tta") or []:
        parts = _REQUIREMENT.fullmatch(line.strip())
        of = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", parts[3] or "") if parts else None
        if parts and (of[1] if of else None) == extra:
            found.append((parts[1], parts[2].strip()))
    return found


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version is in a range such as `>=2.12,<3`, by its release numbers (PEP 440)."""
    for clause in filter(None, (part.strip() for part in wanted.split(","))):
        parts = re.fullmatch(r"(==|!=|>=|<=|>|<)\s*(.+)", clause)
        if parts and not _COMPARISONS[parts[1]](_release(version), _release(parts[2])):
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(?:\.\d+)*", version.removeprefix("v"))
    release = [int(number) for number in numbers[0].split(".")] if numbers else [0]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    return tuple(release)


def _not_installed(extra: str) -> Finding:
    return Finding(
        "doctor.extra_missing",
        Severity.INFO,
        extra,
        f"The extra {extra} is not installed.",
        f"pip install 'x0tta[{extra}]'",
    )


def _incomplete(extra: str, name: str) -> Finding:
    return Finding(
        "doctor.extra_incomplete",
        Severity.WARNING,
        name,
        f"The extra {extra} is installed without {name}.",
        f"pip install 'x0tta[{extra}]'",
    )
