"""The rooms: a room imports only rooms above it, a package holds a docstring only, and what must be light is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rules import digests

ROOT = Path(__file__).parents[1] / "workflow"
PACKAGE = ROOT / "glassjet"
# From the top down; modules of the first room are files of the package itself.
ROOMS = ("foundations", "jets", "observables", "taggers", "training", "attribution", "ranking", "figures", "cli")
FOUNDATIONS = ("errors", "files", "provenance", "processes")
MODULES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))
LIGHT = (
    "glassjet.cli.main",
    "glassjet.errors",
    "glassjet.jets.cards",
    "glassjet.jets.keys",
    "glassjet.jets.published.datasets",
    "glassjet.observables.registry",
    "glassjet.taggers.features",
    "glassjet.taggers.registry",
)
HEAVY = "numpy pandas h5py pyarrow torch numba scipy sklearn matplotlib shap awkward fastjet pythia8mc snakemake"


def dotted(path: Path) -> str:
    """The name of a module."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room of a module."""
    parts = module.split(".")
    return "foundations" if len(parts) == 1 or parts[1] in (*FOUNDATIONS, "__main__") else parts[1]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_room_imports_only_rooms_above(path: Path) -> None:
    module = dotted(path)
    if module == "glassjet.__main__":  # python -m glassjet: the way in, above no one
        return
    place = ROOMS.index(room(module))
    for imported in digests.imports_of(module, ROOT):
        assert ROOMS.index(room(imported)) <= place, f"{module} imports {imported}"


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=dotted)
def test_package_is_a_docstring_only(path: Path) -> None:
    body = ast.parse((ROOT / path).read_text()).body
    allowed = [
        isinstance(node, ast.Expr)
        or (path.parts == ("glassjet", "__init__.py") and ast.unparse(node).startswith("__version__"))
        for node in body
    ]
    assert ast.get_docstring(ast.parse((ROOT / path).read_text()))
    assert all(allowed)


def test_no_library_module_knows_of_snakemake() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("snakemake", "rules")], path


def test_only_the_command_line_imports_by_name() -> None:
    # an import that is not written as one escapes the digests of the code
    found = [dotted(path) for path in MODULES if "import_module(" in (ROOT / path).read_text()]
    assert found == ["glassjet.cli.main"]


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*[name for name in '{HEAVY}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
