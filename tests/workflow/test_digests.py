"""The digest of a verb's code: what changes it, and what does not."""

import json
from pathlib import Path

import pytest

from rules import digests

FILES = {
    "glassjet/__init__.py": '"""The package."""\n',
    "glassjet/cli/__init__.py": '"""The verbs."""\n',
    "glassjet/cli/train.py": "from glassjet.deep import one\n\n\ndef run():\n    from glassjet import late\n",
    "glassjet/cli/score.py": "import glassjet.alone\n",
    "glassjet/cli/import_jets.py": "from ..deep.one import value\n",
    "glassjet/deep/__init__.py": '"""Deep."""\n',
    "glassjet/deep/one.py": '"""One."""\n\nfrom glassjet.deep import two\n\nvalue = 1  # a comment\n',
    "glassjet/deep/two.py": "def f():\n    '''Says f.'''\n    return 2\n",
    "glassjet/late.py": "x = 1\n",
    "glassjet/alone.py": "y = 1\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def fresh(verb: str, root: Path) -> str:
    """The digest as a new process sees it."""
    digests.imports_of.cache_clear()
    digests._code.cache_clear()
    return digests.verb_digest(verb, root)


def edited(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_closure_follows_imports_within_functions_and_relative_ones(root: Path) -> None:
    packages = {"glassjet", "glassjet.cli", "glassjet.deep"}
    found = digests.closure({"glassjet.cli.train"}, root)
    assert found - packages == {"glassjet.cli.train", "glassjet.deep.one", "glassjet.deep.two", "glassjet.late"}
    found = digests.closure({"glassjet.cli.import_jets"}, root)
    assert found - packages == {"glassjet.cli.import_jets", "glassjet.deep.one", "glassjet.deep.two"}


@pytest.mark.parametrize("name", ["glassjet/deep/two.py", "glassjet/late.py", "glassjet/cli/train.py"])
def test_an_edit_of_code_changes_the_digest_of_those_who_import_it(root: Path, name: str) -> None:
    train, score = fresh("train", root), fresh("score", root)
    (root / name).write_text((root / name).read_text() + "\nz = 3\n")
    assert fresh("train", root) != train
    assert fresh("score", root) == score


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("glassjet/deep/one.py", "# a comment", "# another"),
        ("glassjet/deep/one.py", '"""One."""', '"""The one."""'),
        ("glassjet/deep/two.py", "'''Says f.'''", "'''Says two.'''"),
        ("glassjet/deep/two.py", "return 2", "return (2)"),
        ("glassjet/alone.py", "y = 1", "y = 2"),
    ],
)
def test_comments_docstrings_layout_and_foreign_code_do_not_count(root: Path, name: str, old: str, new: str) -> None:
    before = fresh("train", root)
    edited(root, name, old, new)
    assert fresh("train", root) == before


def test_a_verb_without_a_module_is_an_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"glassjet\.cli\.trian"):
        digests.verb_digest("trian", root)


def notebook(path: Path, *cells: tuple[str, str], outputs: int = 0) -> Path:
    content = [{"cell_type": kind, "source": [source], "outputs": [outputs], "metadata": {}} for kind, source in cells]
    path.write_text(json.dumps({"cells": content, "metadata": {"n": outputs}}))
    return path


def test_notebook_counts_with_what_it_imports_and_without_outputs(root: Path) -> None:
    path = root / "n.ipynb"

    def digest(*cells: tuple[str, str], outputs: int = 0) -> str:
        digests._code.cache_clear()
        return digests.notebook_digest("score", notebook(path, *cells, outputs=outputs), root)

    code = ("code", "%matplotlib inline\nfrom glassjet.late import x")
    before = digest(code)
    assert digest(code, outputs=5) == before
    assert digest(code, ("markdown", "words")) != before
    edited(root, "glassjet/late.py", "x = 1", "x = 2")
    assert digest(code) != before
