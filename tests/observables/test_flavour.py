"""Multiplicities by type, jet charge and the largest impact parameters: slow loops, by hand, and what is refused."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from glassjet.errors import InputError
from glassjet.observables.flavour import (
    FLOOR,
    LEADING,
    PARTICLE_TYPES,
    charged_multiplicity,
    impact_parameter_max,
    jet_charge,
    multiplicities,
    require,
)

Columns = dict[str, NDArray[Any]]

# of Pythia's stable particles, with their charge
KINDS = {22: 0, 11: -1, -11: 1, 13: -1, -13: 1, 211: 1, -211: -1, 321: 1, 2212: 1, 130: 0, 2112: 0, -2112: 0, 12: 0}
SIZES = [*range(1, 9), *([20, 21, 50, 90] * 10)]


def sample(sizes: list[int], seed: int = 1) -> tuple[Columns, NDArray[np.int64]]:
    """Constituents in the columns and types of the jet store, ordered by falling pT; neutral ones have no track."""
    generator = np.random.default_rng(seed)
    n = sum(sizes)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    pdgid = generator.choice(list(KINDS), n).astype(np.int32)
    charge = np.array([KINDS[int(code)] for code in pdgid], np.int8)
    pt = np.concatenate([np.sort(generator.exponential(10.0, size) + 0.1)[::-1] for size in sizes]).astype(np.float32)
    columns: Columns = {"pdgid": pdgid, "charge": charge, "pt": pt}
    for name in ("d0", "z0"):
        columns[name] = (generator.standard_normal(n) * 10.0 ** generator.uniform(-6, 1, n) * (charge != 0)).astype(
            "f4"
        )
    return columns, offsets


def jet_pts(columns: Columns, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    return 0.9 * np.add.reduceat(columns["pt"].astype(np.float64), offsets[:-1])


def shuffled(columns: Columns, offsets: NDArray[np.int64]) -> Columns:
    generator = np.random.default_rng(2)
    order = np.concatenate([a + generator.permutation(b - a) for a, b in pairwise(offsets)])
    return {name: column[order] for name, column in columns.items()}


def test_multiplicities_are_those_of_a_slow_loop() -> None:
    columns, offsets = sample(SIZES)
    found = multiplicities(columns["pdgid"], columns["charge"], offsets)
    charged = charged_multiplicity(columns["charge"], offsets)
    assert found.shape == (len(SIZES), 5)
    assert found.dtype == charged.dtype == np.float64
    codes = {
        "charged_hadrons": {211, -211, 321, 2212},
        "neutral_hadrons": {130, 2112, -2112},
        "photons": {22},
        "electrons": {11, -11},
        "muons": {13, -13},
    }
    for number in range(len(SIZES)):
        own = columns["pdgid"][offsets[number] : offsets[number + 1]].tolist()
        for place, name in enumerate(PARTICLE_TYPES):
            assert found[number, place] == sum(code in codes[name] for code in own)
        assert charged[number] == sum(KINDS[code] != 0 for code in own)
    assert (found.sum(axis=0) > 0).all()


def test_every_constituent_but_neutrinos_has_one_type() -> None:
    columns, offsets = sample(SIZES)
    found = multiplicities(columns["pdgid"], columns["charge"], offsets)
    neutrinos = np.add.reduceat((columns["pdgid"] == 12).astype(int), offsets[:-1])
    assert neutrinos.sum() > 0
    np.testing.assert_array_equal(found.sum(axis=1) + neutrinos, SIZES)
    np.testing.assert_array_equal(found[:, [0, 3, 4]].sum(axis=1), charged_multiplicity(columns["charge"], offsets))


@pytest.mark.parametrize(
    ("code", "charge", "kind"),
    [
        *[(211, 1, 0), (-211, -1, 0), (-3112, 1, 0), (-3312, 1, 0), (1000010020, 1, 0)],
        *[(130, 0, 1), (310, 0, 1), (-3122, 0, 1)],
        *[(22, 0, 2), (11, -1, 3), (-11, 1, 3), (13, -1, 4), (-13, 1, 4)],
        *[(neutrino, 0, None) for neutrino in (12, -12, 14, -14, 16, -16)],
    ],
)
def test_the_type_of_each_particle(code: int, charge: int, kind: int | None) -> None:
    found = multiplicities(np.array([code], np.int32), np.array([charge], np.int8), np.array([0, 1]))
    assert found.tolist() == [[float(place == kind) for place in range(5)]]


def test_a_collinear_splitting_raises_multiplicities() -> None:
    pdgid, charge = np.array([22, 211, 22, 22, 211]), np.array([0, 1, 0, 0, 1])
    found = multiplicities(pdgid, charge, np.array([0, 2, 5]))
    assert found.tolist() == [[1.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 2.0, 0.0, 0.0]]


@pytest.mark.parametrize("kappa", [0.3, 0.5, 1.0, 2.0])
def test_jet_charge_is_the_sum_of_its_formula(kappa: float) -> None:
    columns, offsets = sample(SIZES, seed=3)
    jet_pt = jet_pts(columns, offsets)
    found = jet_charge(columns["pt"], columns["charge"], offsets, jet_pt, kappa)
    assert np.isfinite(found).all()
    for number in range(len(SIZES)):
        total = 0.0
        for i in range(offsets[number], offsets[number + 1]):
            total += int(columns["charge"][i]) * float(columns["pt"][i]) ** kappa
        assert found[number] == pytest.approx(total / float(jet_pt[number]) ** kappa, rel=1e-9, abs=1e-12)
    assert (found > 0).any()
    assert (found < 0).any()


def test_jet_charge_by_hand() -> None:
    pt, charge, offsets = np.array([16.0, 9.0, 4.0, 5.0, 1.0]), np.array([1, 0, -1, 0, 2]), np.array([0, 3, 4, 5])
    found = jet_charge(pt, charge, offsets, np.array([25.0, 5.0, 1.0]), 0.5)
    assert found == pytest.approx([(4 - 2) / 5, 0.0, 2.0], rel=1e-15)


def test_the_charge_conjugate_has_the_opposite_charge() -> None:
    columns, offsets = sample(SIZES, seed=4)
    jet_pt = jet_pts(columns, offsets)
    found = [jet_charge(columns["pt"], sign * columns["charge"], offsets, jet_pt, 0.5) for sign in (1, -1)]
    np.testing.assert_array_equal(found[0], -found[1])


def test_neutral_jets_have_charge_0() -> None:
    neutral = np.zeros(4, np.int8)
    found = jet_charge(np.ones(4), neutral, np.array([0, 1, 4]), np.array([1.0, 3.0]), 0.5)
    assert found.dtype == np.float64
    assert found.tolist() == [0.0, 0.0]
    assert charged_multiplicity(neutral, np.array([0, 1, 4])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ["d0", "z0"])
def test_the_largest_impact_parameter_is_that_of_a_slow_loop(name: str) -> None:
    columns, offsets = sample(SIZES, seed=5)
    found = impact_parameter_max(columns[name], columns["pt"], offsets)
    assert np.isfinite(found).all()
    floor = 0
    for number in range(len(SIZES)):
        own = slice(offsets[number], offsets[number + 1])
        pairs = sorted(zip(columns["pt"][own].tolist(), columns[name][own].tolist(), strict=True), reverse=True)
        largest = max(abs(distance) for _, distance in pairs[:20])
        floor += largest < FLOOR
        assert found[number] == pytest.approx(math.log(max(largest, 1e-4)), rel=1e-12)
    assert 0 < floor < len(SIZES)


def test_only_the_20_of_highest_pt_are_looked_at() -> None:
    pt, distance = np.linspace(30.0, 1.0, 25), np.full(25, 0.5)
    assert LEADING == 20
    for place, expected in [(0, 8.0), (19, 8.0), (20, 0.5), (24, 0.5)]:
        far = distance.copy()
        far[place] = -8.0
        for order in (np.arange(25), np.arange(25)[::-1]):
            found = impact_parameter_max(far[order], pt[order], np.array([0, 25]))
            assert found[0] == pytest.approx(math.log(expected), rel=1e-12)


def test_of_equal_pt_the_first_are_looked_at() -> None:
    distance = np.arange(1.0, 26.0)
    assert impact_parameter_max(distance, np.ones(25), np.array([0, 25]))[0] == pytest.approx(math.log(20.0), rel=1e-12)


def test_what_is_not_measurable_has_the_value_of_no_track() -> None:
    """Among them the flight of a heavy resonance, 1e-13 mm, which the decay products of signal have."""
    lists = [[0.0], [1e-13, 0.0], [-9e-5, 3e-5, 0.0], [math.nan, 0.0], [1e-4], [-2e-4]]
    offsets = np.concatenate([[0], np.cumsum([len(jet) for jet in lists])])
    found = impact_parameter_max(np.concatenate(lists), np.ones(offsets[-1]), offsets)
    assert found[:5].tolist() == [math.log(1e-4)] * 5
    assert found[5] == pytest.approx(math.log(2e-4), rel=1e-12)


def test_neither_order_nor_other_jets_matter() -> None:
    columns, offsets = sample(SIZES, seed=6)
    jet_pt = jet_pts(columns, offsets)

    def everything(c: Columns, o: NDArray[np.int64], own_pt: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(
            [
                multiplicities(c["pdgid"], c["charge"], o),
                charged_multiplicity(c["charge"], o),
                impact_parameter_max(c["d0"], c["pt"], o),
                jet_charge(c["pt"], c["charge"], o, own_pt, 0.5),
            ]
        )

    together = everything(columns, offsets, jet_pt)
    other_order = everything(shuffled(columns, offsets), offsets, jet_pt)
    np.testing.assert_array_equal(together[:, :-1], other_order[:, :-1])
    np.testing.assert_allclose(together[:, -1], other_order[:, -1], rtol=1e-9, atol=1e-12)
    for number in range(len(SIZES)):
        own = slice(offsets[number], offsets[number + 1])
        alone = {name: column[own] for name, column in columns.items()}
        found = everything(alone, np.array([0, SIZES[number]]), jet_pt[number : number + 1])
        np.testing.assert_array_equal(found[0], together[number])
    none = everything({name: column[:0] for name, column in columns.items()}, np.zeros(1, np.int64), np.zeros(0))
    assert none.shape == (0, 8)


def test_what_is_there_is_accepted() -> None:
    columns, _ = sample(SIZES)
    require(columns, "everything", ("pdgid", "charge", "d0", "z0"))
    require({}, "nothing", ())
    require({"charge": np.zeros(2, np.int8)}, "jet_charge", ("charge",))  # neutral, and no types asked for


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("pdgid", "(their types are not known); leave it out, or take a sample that has them"),
        ("charge", "(their charges are not known); leave it out, or take a sample that has them"),
        ("d0", "(they have no tracks); leave it out, or generate with tracks: measured"),
        ("z0", "(they have no tracks); leave it out, or generate with tracks: measured"),
    ],
)
def test_what_is_missing_is_named_with_the_way_out(name: str, way_out: str) -> None:
    columns, _ = sample(SIZES)
    del columns[name]
    with pytest.raises(InputError) as caught:
        require(columns, "some_variable", ("pdgid", "charge", "d0", "z0"))
    assert str(caught.value) == f"some_variable: the constituents have no {name} {way_out}"


@pytest.mark.parametrize("unknown", [slice(None), slice(3, 4)])
def test_one_unknown_type_is_refused(unknown: slice) -> None:
    columns, _ = sample(SIZES)
    columns["pdgid"][unknown] = 0
    with pytest.raises(InputError) as caught:
        require(columns, "multiplicity_photons", ("pdgid", "charge"))
    assert str(caught.value) == (
        "multiplicity_photons: there are constituents with pdgid 0 (their types are not known); "
        "leave it out, or take a sample that has them"
    )


def test_a_charge_of_0_is_unknown_where_the_type_is() -> None:
    columns: Columns = {"pdgid": np.array([211, 0]), "charge": np.array([1, -1], np.int8)}
    require(columns, "jet_charge", ("charge",))  # a track of unknown type has a charge
    columns["charge"][1] = 0
    with pytest.raises(InputError, match=r"^jet_charge: there are constituents with pdgid 0 and charge 0 \(their"):
        require(columns, "jet_charge", ("charge",))
