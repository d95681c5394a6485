"""The table of published data sets: complete, light, and as its sources have it."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from glassjet.cli.import_jets import FORMATS
from glassjet.errors import InputError
from glassjet.jets.published.datasets import DATASETS, amount, chosen, dataset, is_archive, table

ROOT = Path(__file__).parents[3] / "workflow"
HEX = {"md5": 32, "sha256": 64}


@pytest.mark.parametrize("name", DATASETS)
def test_every_file_is_whole_and_its_own(name: str) -> None:
    of = dataset(name)
    assert of.name == name
    assert of.title
    assert of.licence
    assert of.format in FORMATS
    assert "arXiv:" in of.cite or "doi:" in of.cite
    assert urlsplit(of.page).scheme == "https"
    for column in ("name", "url"):
        assert max(Counter(getattr(file, column) for file in of.files).values()) == 1
    checksums = [file.checksum for file in of.files if file.checksum]
    assert len(set(checksums)) == len(checksums)
    for file in of.files:
        assert urlsplit(file.url).path.endswith(f"/{file.name}")
        assert file.split in ("train", "validation", "test")
        assert file.size is None or file.size > 0
        if file.checksum:
            kind, digest = file.checksum.split(":")
            assert len(digest) == HEX[kind]
            assert set(digest) <= set("0123456789abcdef")
        assert bool(file.holds) == is_archive(file)


def splits(name: str) -> dict[str, int]:
    return dict(Counter(file.split for file in dataset(name).files))


def test_files_and_splits_are_the_published_ones() -> None:
    assert splits("top_reference") == {"train": 1, "validation": 1, "test": 1}
    assert splits("jetclass") == {"train": 10, "validation": 1, "test": 1}
    for name in ("energyflow_pythia", "energyflow_herwig"):
        assert splits(name) == {"train": 16, "validation": 2, "test": 2}
    assert splits("hbb_open_data") == {"train": 82, "test": 9}
    (test,) = chosen(dataset("top_reference"), ["test"])
    assert (test.name, test.size) == ("test.h5", 347849376)
    assert test.checksum == "md5:13163479dee30a5fe546e4536cc3d04d"
    assert test.url == "https://zenodo.org/records/2603256/files/test.h5?download=1"
    first, *_, last = dataset("energyflow_pythia").files
    assert first.name == "QG_jets.npz"
    assert first.checksum == "sha256:3f27a02eab06e8b83ccc9d25638021e6e24c9361341730961f9d560dee12c257"
    assert last.name == "QG_jets_19.npz"
    assert last.checksum == "sha256:d07781139320ae134ce4824bc0cefa43fd5003cd97cdf3aed90d4fb12fad8a1d"
    first, *_, last = dataset("energyflow_herwig").files
    assert first.name == "QG_jets_herwig_0.npz"
    assert first.checksum == "sha256:0527349778c0ab2f7da268975fb9e7c0705c88d60f2c478401d941b9913f4d44"
    assert last.checksum == "sha256:94975b3d999868485780d2d9e4330273aa8f0db4b9a7f6094d360f637659a264"
    train = chosen(dataset("hbb_open_data"), ["train"])
    assert (train[0].name, train[-1].name) == ("ntuple_merged_9.root", "ntuple_merged_90.root")


def test_words_choose_files() -> None:
    of = dataset("energyflow_pythia")
    assert chosen(of, None) == list(of.files)
    names = [file.name for file in chosen(of, ["QG_jets_1?.npz", "QG_jets.npz", "test"])]
    assert names == ["QG_jets.npz", *(f"QG_jets_{i}.npz" for i in range(10, 20))]
    with pytest.raises(InputError, match=r"no file of energyflow_pythia 'QG_jets_20.npz' \(did you mean 'QG_jets_"):
        chosen(of, ["QG_jets_20.npz"])
    with pytest.raises(InputError, match="no file of top_reference ''"):
        chosen(dataset("top_reference"), [""])
    with pytest.raises(InputError, match=r"no data set 'jetclas'.*did you mean 'jetclass'"):
        dataset("jetclas")


def test_the_table_tells_all() -> None:
    text = table()
    for of in DATASETS.values():
        assert of.title in text
        assert of.page in text
        assert of.cite in text
    assert "QG_jets.npz … QG_jets_15.npz  (16 files, size unknown)" in text
    assert max(map(len, text.splitlines())) <= 120
    for name, of in DATASETS.items():
        lines = table(name).splitlines()
        for file in of.files:
            (line,) = [line for line in lines if f" {file.name} " in line]
            assert (file.checksum or "no checksum published") in line
            assert file.split in line
    assert [amount(size) for size in (999, 1000, 347849376, 1038496555)] == ["999 bytes", "1 kB", "348 MB", "1.04 GB"]


def test_the_table_is_light() -> None:
    heavy = ("numpy", "pandas", "h5py", "tqdm", "urllib.request")
    code = f"import sys, glassjet.jets.published.datasets; print(*[n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []
