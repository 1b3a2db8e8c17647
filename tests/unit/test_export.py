"""Tables as Parquet and CSV: every value is there, nothing is overwritten unasked."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from gradviz.errors import GradvizError
from gradviz.export import export_run
from gradviz.frames import Run, load
from gradviz.recording.schema import TABLES
from tests.synthetic import Variant, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with NaN, infinity, exact zeros (-inf in log10), and a name that needs quoting."""
    variant = Variant(time=6, units=2, zero_from=3, bad_from=4, name='a "b", c')
    return load(make_run(tmp_path_factory.mktemp("runs") / "run", "gru", steps=6, variant=variant))


def numbers(values: list[str]) -> np.ndarray:
    return np.array([float(value) for value in values])


def test_csv_holds_every_value(run: Run, tmp_path: Path) -> None:
    paths = export_run(run, tmp_path / "out", "csv")
    assert [path.name for path in paths] == [f"{name}.csv" for name in TABLES]
    for name, path in zip(TABLES, paths, strict=True):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        frame = run.tidy(name)
        assert header == list(frame.columns)
        assert len(rows) == len(frame)
        for index, column in enumerate(header):
            cells = [row[index] for row in rows]
            if frame[column].dtype.kind == "f":
                np.testing.assert_array_equal(numbers(cells), frame[column].to_numpy())
            else:
                assert cells == [str(value) for value in frame[column]]
    text = (tmp_path / "out" / "reach.csv").read_text()
    assert "-inf" in text
    assert "nan" in text


def test_parquet_holds_every_value_and_its_meaning(run: Run, tmp_path: Path) -> None:
    for name, path in zip(TABLES, export_run(run, tmp_path), strict=True):
        table = parquet.read_table(path)
        assert all(column.null_count == 0 for column in table.columns)  # NaN is a number, not a gap
        pd.testing.assert_frame_equal(table.to_pandas(), run.tidy(name), check_dtype=False)
        assert all(field.metadata[b"meaning"] for field in table.schema)


def test_some_tables(run: Run, tmp_path: Path) -> None:
    assert export_run(run, tmp_path, "csv", ["reach", "steps"]) == [tmp_path / "reach.csv", tmp_path / "steps.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reach.csv", "steps.csv"]


def test_nothing_is_overwritten_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trouble.csv").write_text("mine")
    with pytest.raises(GradvizError, match=r"trouble\.csv exists already; choose another folder, or --force"):
        export_run(run, tmp_path, "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["trouble.csv"]
    export_run(run, tmp_path, "csv", force=True)
    assert (tmp_path / "trouble.csv").read_text().startswith("step,layer")


def test_what_cannot_be_is_said(run: Run, tmp_path: Path) -> None:
    with pytest.raises(GradvizError, match=r"unknown export format 'xlsx'\. There is: csv, parquet"):
        export_run(run, tmp_path, "xlsx")
    with pytest.raises(GradvizError, match=r"unknown table 'rech'\. Did you mean 'reach'"):
        export_run(run, tmp_path, tables=["steps", "rech"])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    for kind in ("csv", "parquet"):
        with pytest.raises(GradvizError, match=r"cannot write .*file/steps"):
            export_run(run, tmp_path / "file", kind)


def test_a_run_without_rows_gives_headers(tmp_path: Path) -> None:
    run = load(make_run(tmp_path / "bare", steps=0))
    for kind in ("csv", "parquet"):
        export_run(run, tmp_path / kind, kind)
    assert (
        tmp_path / "csv" / "reach.csv"
    ).read_text() == "step,layer,direction,point,decay,decay_low,decay_high,sequences,lag,mean,low,median,high\n"
    assert len(parquet.read_table(tmp_path / "parquet" / "reach.parquet")) == 0
