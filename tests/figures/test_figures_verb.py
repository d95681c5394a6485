"""`glassjet figures`: a notebook that passes, one that fails, and inputs that are refused."""

import os
from pathlib import Path

import nbformat
import pytest

from glassjet.cli.figures import declared, own_kernel, read_notebook
from glassjet.cli.main import main
from glassjet.errors import InputError

GOOD = """\
from pathlib import Path
from glassjet.figures import style
from matplotlib.figure import Figure
figure = Figure()
figure.subplots().plot(seeds)
path = style.save(figure, Path(out_figures) / "line")
Path(out_tables).joinpath("line.csv").write_text("seed\\n")
print(out_figures, Path(results).name, limit)"""


def notebook(path: Path, *cells: str, tagged: bool = True) -> Path:
    parameters = nbformat.v4.new_code_cell('results = ""\nout_figures = ""\nout_tables = ""\nseeds = [1]\nlimit = 5')
    if tagged:
        parameters.metadata["tags"] = ["parameters"]
    made = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
    made.metadata["kernelspec"] = {"name": "of-another-machine", "display_name": "", "language": "python"}
    nbformat.write(made, path)
    return path


def arguments(path: Path, out: Path) -> list[str]:
    (out / "results").mkdir(parents=True, exist_ok=True)
    places = {"results": out / "results", "out-notebook": out / "executed.ipynb"}
    places |= {"out-figures": out / "figures", "out-tables": out / "tables"}
    flags = [word for name, place in places.items() for word in (f"--{name}", str(place))]
    return ["figures", str(path), *flags, "--seeds", "1", "3", "--task", "top"]


def test_a_notebook_makes_figures_and_tables_twice_alike(tmp_path: Path) -> None:
    path, kept = notebook(tmp_path / "x.ipynb", GOOD), []
    for _ in range(2):
        assert main(arguments(path, tmp_path)) == 0
        kept.append([(tmp_path / name).read_bytes() for name in ("figures/line.pdf", "executed.ipynb")])
    assert kept[0] == kept[1]
    executed = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    told = executed.cells[-1].outputs[0].text
    assert told.split() == [str(tmp_path / "figures"), "results", "5"]  # not the temporary folder; limit as it stands
    assert executed.metadata["glassjet"]["verb"] == "figures"
    assert sorted(place.name for place in tmp_path.iterdir()) == [
        "executed.ipynb",
        "figures",
        "results",
        "tables",
        "x.ipynb",
    ]


def test_a_failing_cell_is_named_and_the_notebook_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook(tmp_path / "x.ipynb", GOOD, "raise ValueError('no scores\\nof seed 2')", "print('never')")
    assert main(arguments(path, tmp_path)) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("glassjet")]
    assert len(said) == 1
    assert "x.ipynb: cell [4] failed: ValueError: no scores; the notebook as far as it came is" in said[0]
    assert not (tmp_path / "figures").exists()
    executed = nbformat.read(tmp_path / "executed.ipynb", as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert any(output.get("ename") == "ValueError" for output in outputs)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "the file is empty"), ("no json", "not a Jupyter notebook"), ("{}", "not a Jupyter notebook")],
)
def test_what_is_no_notebook_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(InputError, match=message):
        read_notebook(tmp_path / "x.ipynb")


def test_bad_arguments_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook(tmp_path / "x.ipynb", GOOD, tagged=False)
    assert main(arguments(path, tmp_path)) == 2
    assert "no cell is tagged `parameters`" in capsys.readouterr().err
    assert main([*arguments(path, tmp_path), "--taggers", "mbns"]) == 2
    assert "write it as tagger/features" in capsys.readouterr().err
    given = arguments(path, tmp_path)
    given[given.index("--results") + 1] = str(tmp_path / "nothing")
    assert main(given) == 2
    assert "--results is a study's results/<study>" in capsys.readouterr().err


def test_the_parameters_are_those_of_the_tagged_cell(tmp_path: Path) -> None:
    found = declared(read_notebook(notebook(tmp_path / "x.ipynb", "other = 1")), tmp_path / "x.ipynb")
    assert found == {"results", "out_figures", "out_tables", "seeds", "limit"}


def test_the_kernel_s_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", "/mine")
    monkeypatch.delenv("IPYTHONDIR", raising=False)
    with own_kernel():
        assert os.environ["JUPYTER_PATH"] != "/mine"
    assert os.environ["JUPYTER_PATH"] == "/mine"
    assert "IPYTHONDIR" not in os.environ
