"""What is tested is the wheel that users install, and it holds what it must."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import x0tta_cli


def names_in_wheel():
    (wheel,) = (Path(sys.prefix) / "wheel").glob("x0tta-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_installed_package_is_the_wheel_and_not_the_checkout():
    assert "site-packages" in Path(x0tta_cli.__file__).parts
    installed = {str(path) for path in distribution("x0tta").files or ()}
    assert {n for n in names_in_wheel() if n.startswith("x0tta_cli/")} <= installed


def test_data_templates_types_and_licences_are_in_the_wheel():
    names = names_in_wheel()
    petshop = "x0tta_cli/telemetry/data/petshop"
    assert len([n for n in names if n.startswith(petshop) and n.endswith("metrics.csv.xz")]) == 36
    assert {f"{petshop}/LICENSE", f"{petshop}/NOTICE", "x0tta_cli/py.typed"} <= names
    assert any(name.endswith("incident.html.jinja") for name in names)
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert {"LICENSE", "NOTICE", "CC-BY-4.0.txt"} <= licences


def test_no_test_or_script_is_in_the_wheel():
    assert {name.split("/")[0].split("-")[0] for name in names_in_wheel()} == {"x0tta_cli", "x0tta"}
