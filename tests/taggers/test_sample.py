from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassjet.errors import InputError
from glassjet.jets.store import writing
from glassjet.taggers.features import parse
from glassjet.taggers.inputs import join
from glassjet.taggers.sample import open_sample
from tests.taggers.synthetic import tagged_jets, write_sample


def test_blocks_are_the_whole_sample(tmp_path: Path) -> None:
    features = parse("kinematics+image+mbns+noise")
    sample = open_sample(*write_sample(tmp_path, "train", 100), features.observables, ("train",))
    assert len(sample) == 100
    whole = sample.inputs(features, 0, 100)
    blocks = list(sample.blocks(features, size=33))
    assert [rows.stop for rows, _ in blocks] == [33, 66, 99, 100]
    for key, array in join([inputs for _, inputs in blocks]).items():
        np.testing.assert_array_equal(array, whole[key])


def test_another_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the split 'test', but train is needed"):
        open_sample(*write_sample(tmp_path, "test", 10), splits=("train",))


def test_a_table_of_other_jets_is_refused(tmp_path: Path) -> None:
    jets, _ = write_sample(tmp_path / "a", "train", 20)
    _, others = write_sample(tmp_path / "b", "train", 20, first_event=5)
    with pytest.raises(InputError, match=r"row 0 has event 5, but the jet in .*a/train.h5 has 0"):
        open_sample(jets, others)
    _, fewer = write_sample(tmp_path / "c", "train", 19)
    with pytest.raises(InputError, match=r"has 19 rows and .* has 20 jets"):
        open_sample(jets, fewer)


def test_a_shuffled_table_is_refused(tmp_path: Path) -> None:
    jets, table = write_sample(tmp_path, "train", 20)
    frame = pd.read_parquet(table)
    frame.iloc[[3, 4]] = frame.iloc[[4, 3]].to_numpy()
    frame.to_parquet(table)
    with pytest.raises(InputError, match="row 3"):
        open_sample(jets, table)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    jets, table = write_sample(tmp_path, "train", 20)
    pd.read_parquet(table).drop(columns="tau3_b10_kt").to_parquet(table)
    with pytest.raises(InputError, match=r"train.parquet: no column tau3_b10_kt"):
        open_sample(jets, table, parse("mbns").observables)


def test_one_class_is_refused(tmp_path: Path) -> None:
    jets, table = tagged_jets(20)
    signal = np.flatnonzero(jets.columns["label"] == 1)
    with writing(tmp_path / "j.h5", {"sample": "toy", "split": "train", "level": "particle"}, "{}") as writer:
        writer.append(jets.take(signal))
    table.iloc[signal].to_parquet(tmp_path / "o.parquet")
    with pytest.raises(InputError, match="holds only signal jets"):
        open_sample(tmp_path / "j.h5", tmp_path / "o.parquet")


def test_nan_in_a_table_names_the_file(tmp_path: Path) -> None:
    jets, table = write_sample(tmp_path, "train", 20)
    frame = pd.read_parquet(table)
    frame.loc[3, "mass"] = np.nan
    frame.to_parquet(table)
    features = parse("mbns")
    with pytest.raises(InputError, match=r"train.parquet: observable mass is NaN"):
        open_sample(jets, table, features.observables).inputs(features, 0, 20)


def test_negative_weights_are_refused(tmp_path: Path) -> None:
    jets, table = tagged_jets(20)
    jets.columns["weight"][4] = -1
    with writing(tmp_path / "j.h5", {"sample": "toy", "split": "train", "level": "particle"}, "{}") as writer:
        writer.append(jets)
    table.to_parquet(tmp_path / "o.parquet")
    with pytest.raises(InputError, match=r"j.h5: jets/weight is negative"):
        open_sample(tmp_path / "j.h5", tmp_path / "o.parquet")
