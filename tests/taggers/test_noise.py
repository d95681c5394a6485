import numpy as np
from scipy.stats import kstest

from glassjet.taggers.noise import normals, splitmix64


def test_splitmix64_gives_the_published_sequence() -> None:
    """The first outputs for seed 0, as in the reference implementation of Vigna."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([0, golden, 2 * golden % 2**64], np.uint64)
    assert [hex(number) for number in splitmix64(states)] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_columns_are_standard_normal_and_independent() -> None:
    event = np.arange(50_000)
    columns = np.stack([normals(event, i) for i in range(5)])
    for column in columns:
        assert kstest(column, "norm").pvalue > 1e-3
    correlation = np.corrcoef(np.concatenate([columns, columns**2, columns[:, ::-1]]))
    assert np.abs(correlation - np.eye(15)).max() < 0.03
    neighbours = np.corrcoef(columns[0][1:], columns[0][:-1])[0, 1]
    assert abs(neighbours) < 0.02


def test_noise_belongs_to_the_event() -> None:
    event = np.random.default_rng(1).permutation(1000) + 7_000_000_000
    whole = normals(event, 3)
    parts = np.concatenate([normals(event[:137], 3), normals(event[137:], 3)])
    assert (whole == parts).all()
    assert (normals(event[::-1], 3)[::-1] == whole).all()


def test_constituents_of_a_jet_have_different_noise() -> None:
    event, place = np.zeros(20_000, np.int64), np.arange(20_000)
    found = normals(event, 0, place)
    assert kstest(found, "norm").pvalue > 1e-3
    assert len(np.unique(found)) == len(found)
    assert abs(np.corrcoef(found, normals(event + 1, 0, place))[0, 1]) < 0.03
