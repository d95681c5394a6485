"""Execute a notebook that draws figures and writes tables.

The notebook reads a study's results and gets its parameters from here; those that its `parameters` cell does not
name are left out. It runs in the Python that runs this command, offline, with no kernel installed anywhere. Figures
(PDF and PNG), tables (CSV) and the executed notebook appear together when every cell has passed. If a cell fails, its
number and error are printed, and the notebook as far as it came is kept under --out-notebook for reading.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from glassjet.errors import InputError, existing
from glassjet.figures.results import parse_tagger
from glassjet.files import atomic, atomic_directory, locked
from glassjet.provenance import provenance

EXAMPLE = """\
  glassjet figures workflow/notebooks/performance.ipynb --results results/quick --task top --sample top \\
      --taggers mbns/mbns pfn/kinematics --seeds 1 2 3 --out-notebook results/quick/notebooks/performance.ipynb \\
      --out-figures results/quick/figures/performance --out-tables results/quick/tables/performance"""
KERNEL = "glassjet"
PARAMETERS = ("task", "sample", "samples", "taggers", "seeds", "methods", "variables", "signal_efficiency", "limit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    parser.add_argument("notebook", type=Path, help="notebook with a cell tagged `parameters`")
    parser.add_argument("--results", type=Path, required=True, help="a study's results, results/<study>")
    parser.add_argument("--task", help="the task whose models are drawn")
    parser.add_argument("--sample", help="the sample whose jets, scores and attributions are drawn")
    parser.add_argument(
        "--samples", nargs="+", metavar="SAMPLE/SPLIT", help="samples to compare, for example top/explain"
    )
    parser.add_argument("--taggers", nargs="+", metavar="TAGGER/FEATURES", help="for example mbns/mbns pfn/kinematics")
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds of the study")
    parser.add_argument("--methods", nargs="+", help="attribution methods, for example lrp_recommended shap")
    parser.add_argument("--variables", nargs="+", help="expert variables or sets of them, for example xaug29 mbns")
    parser.add_argument("--signal-efficiency", type=float, help="where taggers are cut for efficiencies and spectra")
    parser.add_argument("--limit", type=int, help="the largest number of jets read of a file")
    parser.add_argument("--out-notebook", type=Path, required=True, help="the executed notebook")
    parser.add_argument("--out-figures", type=Path, required=True, help="directory for PDF and PNG, replaced whole")
    parser.add_argument("--out-tables", type=Path, required=True, help="directory for CSV, replaced whole")


def run(args: argparse.Namespace) -> None:
    """Execute the notebook and put its figures, tables and executed copy in place."""
    notebook = read_notebook(args.notebook)
    if not args.results.is_dir():
        raise InputError(f"{args.results}: no such directory; --results is a study's results/<study>")
    for tagger in args.taggers or []:
        parse_tagger(tagger)
    given = {name: value for name in PARAMETERS if (value := getattr(args, name)) is not None}
    with (
        locked(args.out_notebook),
        locked(args.out_figures),
        locked(args.out_tables),
        atomic_directory(args.out_figures) as figures,
        atomic_directory(args.out_tables) as tables,
        tempfile.TemporaryDirectory(prefix="glassjet-figures-") as scratch,
    ):
        places = {
            "results": args.results.resolve(),
            "out_figures": figures.resolve(),
            "out_tables": tables.resolve(),
        }
        known = declared(notebook, args.notebook)
        parameters = {name: value for name, value in (given | places).items() if name in known}
        executed = Path(scratch) / "executed.ipynb"
        failure = execute(args.notebook, executed, {name: _plain(value) for name, value in parameters.items()})
        if executed.exists():
            final = {str(figures.resolve()): str(args.out_figures), str(tables.resolve()): str(args.out_tables)}
            final[str(args.results.resolve())] = str(args.results)
            keep(executed, args.out_notebook, final, provenance("figures", vars(args)))
        if failure:
            raise InputError(f"{args.notebook}: {failure}; the notebook as far as it came is {args.out_notebook}")
        for kind, place in (("figures", figures), ("tables", tables)):
            if not any(place.iterdir()):
                raise InputError(f"{args.notebook}: wrote no {kind}; it must write into `out_{kind}`")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook of format 4."""
    existing(path)
    try:
        return nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, UnicodeDecodeError):
        raise InputError(f"{path}: not a Jupyter notebook") from None


def declared(notebook: nbformat.NotebookNode, path: Path) -> set[str]:
    """The names that the notebook's `parameters` cell assigns."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if not cells:
        raise InputError(
            f"{path}: no cell is tagged `parameters`; tag the one that assigns `results`, `out_figures`, …"
        )
    return {line.split("=")[0].split(":")[0].strip() for line in cells[0].source.splitlines() if "=" in line}


def execute(notebook: Path, out: Path, parameters: dict[str, Any]) -> str:
    """Execute a notebook in a kernel of this Python; returns what failed, empty if nothing did.

    Parameters
    ----------
    notebook, out : Path
        The stored notebook, and the executed copy, which is written also if a cell fails.
    parameters : dict
        Plain values that replace those of the parameters cell.
    """
    with own_kernel():
        try:
            papermill.execute_notebook(
                notebook,
                out,
                parameters,
                kernel_name=KERNEL,
                language="python",
                progress_bar=sys.stderr.isatty(),
                record_timing=False,
                cwd=str(Path.cwd()),
            )
        except PapermillExecutionError as error:
            line = next((text for text in str(error.evalue).splitlines() if text.strip()), "")
            return f"cell [{error.exec_count}] failed: {error.ename}: {line}"
        except (DeadKernelError, CellTimeoutError):
            return "the kernel died; it may have run out of memory (a smaller --limit needs less)"
        except (NoSuchKernel, ModuleNotFoundError) as error:
            raise InputError(f"no kernel can be started ({error}); install ipykernel") from None
    return ""


@contextmanager
def own_kernel() -> Iterator[None]:
    """Make a kernel of the running Python known to Jupyter for as long as this lasts.

    A kernel that is installed in the user's home may belong to another Python, and start-up files there may change
    what a cell does; so Jupyter's and IPython's folders are replaced by an empty one.
    """
    with tempfile.TemporaryDirectory(prefix="glassjet-kernel-") as folder:
        spec = Path(folder) / "kernels" / KERNEL / "kernel.json"
        spec.parent.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        spec.write_text(json.dumps({"argv": command, "display_name": KERNEL, "language": "python"}))
        changed = {
            "JUPYTER_PATH": folder,
            "JUPYTER_RUNTIME_DIR": folder,
            "JUPYTER_CONFIG_DIR": folder,
            "IPYTHONDIR": folder,
            "MPLBACKEND": "agg",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        before = {name: os.environ.get(name) for name in changed}
        os.environ.update(changed)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def keep(executed: Path, out: Path, places: dict[str, str], made_by: str) -> None:
    """Store an executed notebook with its provenance, and without what would differ between equal runs.

    Parameters
    ----------
    executed, out : Path
    places : dict
        Temporary paths in it, and what they become.
    made_by : str
        From `glassjet.provenance.provenance`.
    """
    text = executed.read_text()
    for temporary, final in places.items():
        text = text.replace(json.dumps(temporary)[1:-1], json.dumps(final)[1:-1])
    notebook = nbformat.reads(text, as_version=4)
    notebook.metadata.pop("papermill", None)
    notebook.metadata["glassjet"] = json.loads(made_by)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell["id"] = f"cell-{number}"
    with atomic(out) as temporary_file:
        nbformat.write(notebook, temporary_file)
