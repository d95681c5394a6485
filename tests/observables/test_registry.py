"""The registry: complete, readable, and light."""

import re
import subprocess
import sys

import pytest
from matplotlib.mathtext import MathTextParser

from glassjet.errors import InputError
from glassjet.observables.costs import cost
from glassjet.observables.registry import (
    ALL,
    SET_SOURCES,
    SETS,
    VARIABLES,
    columns,
    groups,
    labels,
    members,
    need,
    table,
    variable,
)


def test_sets_are_those_of_the_papers() -> None:
    assert len(SETS["xaug29"]) == 29
    assert len(SETS["xaug36"]) == 36
    assert set(SETS["xaug36"]) - set(SETS["xaug29"]) == {
        *(f"multiplicity_{kind}" for kind in ("charged_hadrons", "neutral_hadrons", "photons", "electrons", "muons")),
        *("dxy_max", "dz_max"),
    }
    assert len(SETS["mbns"]) == 22
    assert sum("softdrop" in name and name.startswith("tau") for name in SETS["xaug29"]) == 9
    assert SETS["mass_tau32"] == ("mass_softdrop", "tau32")
    expected = {f"tau{n}_{power}_kt" for n in range(1, 7) for power in ("b05", "b10", "b20")}
    assert set(SETS["mbns"]) == expected | {"tau7_b10_kt", "tau7_b20_kt", "pt", "mass"}
    assert set(SET_SOURCES) == set(SETS)


def test_every_variable_is_in_a_set_and_every_member_is_a_variable() -> None:
    named = [name for names in SETS.values() for name in names]
    assert set(named) == set(VARIABLES)
    assert all(len(set(names)) == len(names) for names in SETS.values())


def test_all_is_what_momenta_give() -> None:
    needy = {name for name in VARIABLES if need(name)}
    assert set(SETS["all"]) == set(VARIABLES) - needy - {"rg_softdrop"}  # delta_r_subjets is the same
    assert {need(name) for name in SETS["xaug36"]} == {"", "types", "tracks"}
    assert [need(name) for name in ("charge_k05", "toy_z", "pt")] == ["charges", "toy", ""]


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_described(name: str) -> None:
    entry = variable(name)
    assert entry.name == name
    assert entry.units in ("GeV", "GeV^2", "GeV^3", "rad", "1")
    assert "arXiv:" in entry.source
    assert entry.formula
    assert entry.range[0] < entry.range[1]
    unit = re.sub(r"\^(\d)", r"$^\1$", entry.units)
    assert (f"[{unit}]" in entry.label) == (entry.units != "1")
    assert labels[name] == entry.label
    assert cost(entry.recipe)


def test_labels_are_latex_that_matplotlib_draws() -> None:
    parser = MathTextParser("path")
    for label in labels.values():
        parser.parse(label)
    assert len(set(labels.values())) == len(labels)


def test_columns_start_with_the_standard_ones_and_repeat_none() -> None:
    names = columns(("mbns", "mbns", "standard"))
    assert names[: len(SETS["standard"])] == SETS["standard"]
    assert len(names) == len(set(names)) == 14 + 20
    assert columns(("tau8_b15_wta", "mass"))[14:] == ("tau8_b15_wta",)


def test_groups_are_what_is_shown_together() -> None:
    found = groups(("mbns", "tau8_b15_wta", "all", "d2_b15"))
    assert found["mbns"] == SETS["mbns"]
    assert found["others"] == ("tau8_b15_wta", "d2_b15")
    assert "all" not in found
    assert set(found) == {"mbns", "others", *ALL}


def test_unknown_names_suggest_near_ones() -> None:
    with pytest.raises(InputError, match=r"no expert variable or set 'xaug' .did you mean 'xaug36' or 'xaug29'"):
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
