from __future__ import annotations

import subprocess
import sys

import pytest

from x0tta_cli.core.errors import NotFoundError, NotPermittedError, UsageError
from x0tta_cli.telemetry.library import Library, natural_key, packaged_library


def identifiers(library: Library) -> list[str]:
    return [incident.identifier for incident in library.incidents()]


def test_a_folder_that_is_a_recording(recording) -> None:
    library = Library(recording)
    assert [reference.identifier for reference in library.recordings()] == ["."]
    assert identifiers(library) == ["test/issue_1", "test/issue_2", "test/issue_10"]


def test_a_folder_above_recordings(recording, tmp_path) -> None:
    recording.rename(tmp_path / "any name")
    (tmp_path / "no recording").mkdir()
    (tmp_path / "note.txt").write_text("beside")
    library = Library(tmp_path)
    assert [reference.identifier for reference in library.recordings()] == ["any name"]
    assert identifiers(library) == [f"any name/test/issue_{number}" for number in (1, 2, 10)]


def test_incidents_lie_at_any_depth_under_any_name(recording, new_incident) -> None:
    new_incident(recording / "outage of 3 May")
    new_incident(recording / "2026" / "05" / "03" / "again")
    new_incident(recording / ".hidden" / "issue_0")
    new_incident(recording / "noissue" / "issue_0")
    (recording / "half").mkdir()
    (recording / "half" / "target.json").write_text("{}")
    assert identifiers(Library(recording)) == [
        "2026/05/03/again",
        "half",
        "outage of 3 May",
        "test/issue_1",
        "test/issue_2",
        "test/issue_10",
    ]


def test_a_link_that_leads_back_up_is_no_incident_twice(recording) -> None:
    (recording / "test" / "up").symlink_to(recording / "test", target_is_directory=True)
    (recording / "top").symlink_to(recording, target_is_directory=True)
    assert len(Library(recording).incidents()) == 3


def test_an_incident_is_found_by_the_end_of_its_name(recording, new_incident) -> None:
    new_incident(recording / "train" / "issue_1")
    library = Library(recording)
    assert library.find("issue_10").identifier == "test/issue_10"
    assert library.find("./test/issue_1/").identifier == "test/issue_1"
    with pytest.raises(UsageError) as caught:
        library.find("issue_1")
    assert caught.value.code == "telemetry.ambiguous_incident"
    assert "test/issue_1, train/issue_1" in caught.value.reason


@pytest.mark.parametrize("wanted", ["test/issue_12", "sue_10", "", "/", "elsewhere"])
def test_an_unknown_incident_is_answered_with_how_to_list(recording, wanted) -> None:
    with pytest.raises(NotFoundError) as caught:
        Library(recording).find(wanted)
    assert caught.value.code == "telemetry.unknown_incident"
    assert "drill list" in caught.value.fix


def test_a_near_miss_is_named(recording) -> None:
    with pytest.raises(NotFoundError) as caught:
        Library(recording).find("test/isue_2")
    assert "Did you mean 'test/issue_2'?" in caught.value.reason


def test_a_folder_without_recordings(tmp_path) -> None:
    for folder, words in ((tmp_path, "graph.csv"), (tmp_path / "gone", "does not exist")):
        with pytest.raises(NotFoundError) as caught:
            Library(folder).incidents()
        assert caught.value.code == "telemetry.no_recording"
        assert words in caught.value.reason


def test_a_file_in_place_of_a_folder(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("")
    with pytest.raises(NotFoundError) as caught:
        Library(path).incidents()
    assert caught.value.code == "telemetry.no_recording"
    assert "not a folder" in caught.value.reason


def test_a_folder_that_may_not_be_read(recording, unreadable) -> None:
    for folder in (recording, recording / "test"):
        with unreadable(folder), pytest.raises(NotPermittedError) as caught:
            Library(recording).incidents()
        assert caught.value.exit_status == 6


def test_an_unknown_recording(recording) -> None:
    with pytest.raises(NotFoundError) as caught:
        Library(recording).healthy("low_traffic")
    assert caught.value.code == "telemetry.unknown_recording"


def test_names_are_ordered_as_people_count() -> None:
    names = ["b/1", "a/issue_10", "a/issue_2", "a b/1", "a", "10", "9"]
    assert sorted(names, key=natural_key) == [
        "9",
        "10",
        "a",
        "a/issue_2",
        "a/issue_10",
        "a b/1",
        "b/1",
    ]


def test_listing_loads_no_numpy(recording) -> None:
    code = (
        "import pathlib, sys; from x0tta_cli.telemetry.library import Library; "
        f"print(len(Library(pathlib.Path({str(recording)!r})).incidents()), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3 False\n"


def test_the_attribution_is_the_text_beside_the_recordings(recording):
    library = Library(recording.parent)
    assert library.attribution() == ""
    (recording.parent / "NOTICE").write_text("Somebody's data.\n", encoding="utf-8")
    assert library.attribution() == "Somebody's data."
    assert "CC BY 4.0" in packaged_library().attribution()
