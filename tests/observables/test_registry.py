"""The registry: complete, readable, and light."""

import subprocess
import sys

import pytest
from matplotlib.mathtext import MathTextParser

from glassjet.errors import InputError
from glassjet.observables.registry import SET_SOURCES, SETS, VARIABLES, columns, labels, members, table, variable


def test_sets_are_those_of_the_papers() -> None:
    assert len(SETS["xaug29"]) == 29
    assert len(SETS["mbns"]) == 22
    assert sum("softdrop" in name and name.startswith("tau") for name in SETS["xaug29"]) == 9
    assert SETS["mass_tau32"] == ("mass_softdrop", "tau32")
    assert {"mbns_tau6_b20", "mbns_tau7_b10", "mbns_tau7_b20", "pt", "mass"} <= set(SETS["mbns"])
    assert "mbns_tau7_b05" not in VARIABLES
    assert set(SET_SOURCES) == set(SETS)


def test_every_variable_is_in_a_set_and_every_member_is_a_variable() -> None:
    named = [name for names in SETS.values() for name in names]
    assert set(named) == set(VARIABLES)
    assert all(len(set(names)) == len(names) for names in SETS.values())


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_described(name: str) -> None:
    entry = variable(name)
    assert entry.name == name
    assert entry.units in ("GeV", "rad", "1")
    assert "arXiv:" in entry.source
    assert entry.formula
    assert (f"[{entry.units}]" in entry.label) == (entry.units != "1")
    assert labels[name] == entry.label


def test_labels_are_latex_that_matplotlib_draws() -> None:
    parser = MathTextParser("path")
    for label in labels.values():
        parser.parse(label)
    assert len(set(labels.values())) == len(labels)


def test_columns_start_with_the_standard_ones_and_repeat_none() -> None:
    names = columns(("mbns", "mbns", "standard"))
    assert names[: len(SETS["standard"])] == SETS["standard"]
    assert len(names) == len(set(names)) == 14 + 20


def test_unknown_names_suggest_near_ones() -> None:
    with pytest.raises(InputError, match=r"no set of expert variables 'xaug' .did you mean 'xaug29'"):
        members("xaug")
    with pytest.raises(InputError, match="did you mean 'tau32'"):
        variable("tau_32")


def test_the_table_names_every_variable_once_as_an_entry() -> None:
    lines = table(SETS).splitlines()
    for name in VARIABLES:
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1


def test_importing_the_registry_imports_nothing_heavy() -> None:
    heavy = "('numba', 'numpy', 'torch', 'fastjet')"
    code = f"import sys, glassjet.observables.registry; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
