from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata

import pytest

from x0tta_cli.core import extras
from x0tta_cli.core.errors import UnsupportedError

# Whose package is imported by another name than its own.
DISTRIBUTIONS = {"telegram": "python-telegram-bot"}


def test_an_extra_that_is_missing_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(extras, "EXTRAS", {"pay": ("json", "no_such_package_here")})
    with pytest.raises(UnsupportedError) as caught:
        extras.require("pay")
    assert caught.value.code == "extras.missing"
    assert caught.value.fix == "pip install 'x0tta[pay]'"
    assert "no_such_package_here" in caught.value.reason
    assert "json" not in caught.value.reason


def test_asking_imports_nothing():
    code = (
        "import sys; from x0tta_cli.core import extras\n"
        "for name in extras.EXTRAS: extras.missing(name)\n"
        "print([n for names in extras.EXTRAS.values() for n in names if n in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_the_table_has_every_extra_of_the_package_and_its_packages():
    declared: dict[str, set[str]] = {}
    for requirement in metadata.requires("x0tta") or []:
        # What only some interpreters get (a further marker) is nothing that x0tta imports.
        if found := re.fullmatch(r"([\w.-]+)[^;]*; extra == ['\"](\w+)['\"]", requirement):
            declared.setdefault(found[2], set()).add(found[1])
    declared.pop("all")
    table = {
        name: {DISTRIBUTIONS.get(package, package.replace("_", "-")) for package in packages}
        for name, packages in extras.EXTRAS.items()
    }
    assert table == declared
