"""Every reproduction keeps the promises of its base, in its quick version, and its page says what it found."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from gradviz.backends import matplotlib, plotly
from gradviz.cli import main
from gradviz.errors import GradvizError
from gradviz.reports import reproduced
from gradviz.reproductions import REPRODUCTIONS, Outcome, Reproduction
from tests.documents import ROOT

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module", params=REPRODUCTIONS.names())
def done(request: pytest.FixtureRequest) -> tuple[Reproduction, Outcome]:
    entry = REPRODUCTIONS[request.param]()
    return entry, entry.run(quick=True)


@pytest.mark.slow
def test_the_quick_version_finds_what_was_published(done: tuple[Reproduction, Outcome]) -> None:
    entry, outcome = done
    assert outcome.statements
    assert outcome.count("differs") == 0, [one for one in outcome.statements if one.agreement == "differs"]
    assert outcome.count("agrees") >= 1
    for statement in outcome.statements:
        assert all(part.strip() for part in (statement.published, statement.where, statement.measured))
        assert statement.agreement != "differs" or statement.why
        assert re.search(r"\d", statement.measured), "a measurement has a number"
    assert not outcome.claim.endswith(".")
    assert all(setting.name and setting.published and setting.here for setting in outcome.settings)
    assert 0 < entry.minutes <= 10


@pytest.mark.slow
def test_its_pictures_are_drawn_by_both_backends(done: tuple[Reproduction, Outcome]) -> None:
    for said in done[1].pictures:
        assert said.title
        assert said.subtitle
        assert said.look_for
        assert isinstance(said.frame, pd.DataFrame)
        assert len(said.frame)
        assert not said.missing
        assert plotly.figure(said)["data"]
        assert matplotlib.draw(said).axes


@pytest.mark.slow
def test_its_page_says_all_of_it(done: tuple[Reproduction, Outcome], tmp_path: Path) -> None:
    entry, outcome = done
    page = reproduced(entry, outcome, quick=True, seed=0, now=NOW).html()
    assert page == reproduced(entry, outcome, quick=True, seed=0, now=NOW).html()
    assert page.count('<figure id="figure-') == len(outcome.pictures)
    assert page.count("<dt>Measured here</dt>") == len(outcome.statements)
    assert "default-src 'none'" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_the_readme_names_every_one() -> None:
    text = (ROOT / "gradviz/reproductions/README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)`", text, flags=re.MULTILINE)) == REPRODUCTIONS.names()


def test_the_command_lists_them_and_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) in (0, None)
    listed = capsys.readouterr().out
    assert all(name in listed for name in REPRODUCTIONS)
    there = tmp_path / "there.html"
    there.write_text("mine")
    for wrong in (["nothing"], ["temporal_order", "-o", str(there)], ["temporal_order", "--seed", "-1", "-o", str(tmp_path / "x.html")]):
        assert main(["reproduce", *wrong]) != 0
    said = capsys.readouterr().err
    assert "unknown reproduction 'nothing'" in said
    assert "exists already" in said
    assert "--seed is -1" in said
    assert there.read_text() == "mine"
    with pytest.raises(GradvizError, match="unknown reproduction"):
        REPRODUCTIONS["nothing"]
