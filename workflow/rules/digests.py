"""Digests of the code behind a rule, so that an edit re-runs exactly what it can change.

Snakemake compares a rule's command, parameters and inputs with those of the last run; it does not look into the package
that the command imports. So every rule has a parameter with the digest of its verb's module and of all that this module
imports from the package, however deep and wherever in the code the import stands. Comments, docstrings and layout do
not count: a digest is taken of the syntax tree.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "glassjet"
MODULES = {"import": "import_jets"}  # `import` is a word of Python


def verb_digest(verb: str, root: Path) -> str:
    """The digest of a verb's code.

    Parameters
    ----------
    verb : str
        A verb of the command line.
    root : Path
        The folder that holds the package.

    Raises
    ------
    FileNotFoundError
        If the verb has no module.
    """
    return _digest(closure({_module(verb, root)}, root), root)


def notebook_digest(verb: str, notebook: Path, root: Path) -> str:
    """The digest of a verb's code and of a notebook's: its code cells, text cells and what they import."""
    cells = json.loads(notebook.read_text())["cells"]
    sources = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    imports: set[str] = set()
    for kind, source in sources:
        if kind == "code":
            imports |= _imports(ast.parse(_without_magics(source)), PACKAGE, root)
    modules = closure({_module(verb, root), *imports}, root)
    return _hash(_digest(modules, root), json.dumps(sources))


def content_digest(content: Any) -> str:
    """The digest of plain values, such as those of a card."""
    return _hash(json.dumps(content, sort_keys=True))


def closure(modules: set[str], root: Path) -> set[str]:
    """The modules of the package that these import, themselves included; names that are no module are left out."""
    found: set[str] = set()
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        if name in found or _file(name, root) is None:
            continue
        found.add(name)
        waiting |= imports_of(name, root)
    return found


@cache
def imports_of(module: str, root: Path) -> frozenset[str]:
    """What a module imports from the package, with the packages above each: those run as well."""
    path = _file(module, root)
    assert path is not None, module
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(_imports(ast.parse(path.read_text()), package, root))


def _module(verb: str, root: Path) -> str:
    module = f"{PACKAGE}.cli.{MODULES.get(verb, verb)}"
    if _file(module, root) is None:
        raise FileNotFoundError(f"{module}: no such module in {root}")
    return module


def _imports(tree: ast.AST, package: str, root: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    ours = {name for name in names if name.split(".")[0] == PACKAGE}
    parents = {".".join(name.split(".")[:depth]) for name in ours for depth in range(1, name.count(".") + 1)}
    return {name for name in ours | parents if _file(name, root) is not None}


def _file(module: str, root: Path) -> Path | None:
    base = root / Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _digest(modules: set[str], root: Path) -> str:
    return _hash(*(text for name in sorted(modules) for text in (name, _code(name, root))))


@cache
def _code(module: str, root: Path) -> str:
    """A module's syntax tree as text, without docstrings."""
    path = _file(module, root)
    assert path is not None, module
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def _without_magics(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
