"""A release names one version everywhere, a new one, and says what has changed."""

import json
import subprocess

import pytest

from tests.meta.prose import ROOT
from tools import release, surface

DATE = "2031-02-03"
NOW = {name: (ROOT / name).read_text("utf8") for name in [*release.PLACES, "CHANGELOG.md"]}


def test_all_places_name_one_version():
    (version,) = set(release.versions(NOW).values())
    assert version == __import__("gaugelib").__version__


def test_a_release_writes_the_version_everywhere_and_nothing_else():
    new = release.released(NOW, "2.0.1", DATE, {"v0.0.9"})
    assert set(release.versions(new).values()) == {"2.0.1"}
    assert f"date-released: {DATE}\n" in new["CITATION.cff"]
    for name, changed in (("pyproject.toml", 1), ("gaugelib/__init__.py", 1), ("CITATION.cff", 2)):
        pairs = zip(NOW[name].splitlines(), new[name].splitlines(), strict=True)
        assert sum(old != now for old, now in pairs) == changed


def test_what_was_unreleased_becomes_the_entry_of_the_version():
    new = release.released(NOW, "2.0.1", DATE, set())["CHANGELOG.md"]
    before = NOW["CHANGELOG.md"].split(release.UNRELEASED)[1]
    assert release.entry(new, "2.0.1").strip() == before.split("\n## [")[0].strip()
    assert f"{release.UNRELEASED}\n## [2.0.1] - {DATE}\n" in new
    with pytest.raises(release.ReleaseError, match="has no entry"):
        release.entry(new, "2.0.2")
    with pytest.raises(release.ReleaseError, match="nothing under"):
        release.released(NOW | {"CHANGELOG.md": new}, "2.0.2", DATE, set())


@pytest.mark.parametrize(
    ("change", "version", "tags", "says"),
    [
        ({}, "2.0", set(), "no version like"),
        ({}, "v2.0.1", set(), "no version like"),
        ({}, "2.0.1", {"v2.0.1"}, "was released before"),
        ({}, "0.0.1", set(), "is below"),
        ({"CITATION.cff": "version: 0.0.2\n"}, "2.0.1", set(), "disagree"),
        ({"pyproject.toml": ""}, "2.0.1", set(), "disagree"),
        ({"CHANGELOG.md": "# Changelog\n"}, "2.0.1", set(), "nothing under"),
    ],
)
def test_control_what_cannot_be_released_is_refused(change, version, tags, says):
    with pytest.raises(release.ReleaseError, match=says):
        release.released(NOW | change, version, DATE, tags)


def test_the_first_release_may_have_the_version_of_the_tree():
    (version,) = set(release.versions(NOW).values())
    new = release.released(NOW, version, DATE, set())
    assert set(release.versions(new).values()) == {version}


def test_a_copy_is_released_once_and_its_notes_are_the_entry(tmp_path, monkeypatch, capsys):
    for name, text in NOW.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf8")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(surface, "RELEASED", tmp_path / "released.json")
    release.main(["2.0.1"])
    assert '__version__ = "2.0.1"' in (tmp_path / "gaugelib" / "__init__.py").read_text("utf8")
    assert json.loads((tmp_path / "released.json").read_text("utf8"))["version"] == "2.0.1"
    capsys.readouterr()
    release.main(["2.0.1", "--notes"])
    notes = capsys.readouterr().out
    assert notes.strip() in NOW["CHANGELOG.md"]
    with pytest.raises(SystemExit, match="nothing under"):
        release.main(["2.0.2"])
