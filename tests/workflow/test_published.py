"""Studies of published jets: what is downloaded and what is not, how splits are carved, and what a failure tells."""

import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.jets.published import mapped_files
from tests.jets.published.test_top_reference import momenta, table_file

Run = Callable[..., subprocess.CompletedProcess[str]]
Jobs = Callable[[str], Counter[str]]
DEFAULT = ("--profile", "workflow/profiles/default", "--configfile")
SPLITS = ("train", "validation", "explain", "test")
PUBLISHED = {"train": ["train.h5"], "validation": ["val.h5"], "test": ["test.h5"]}
OBSERVED = tuple(f"results/mine/observables/top/{split}.parquet" for split in SPLITS)
ROWS = {"train.h5": 30, "val.h5": 21, "test.h5": 16}
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@pytest.fixture(autouse=True)
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """All ways to the network lead to a port of this machine at which nobody listens, until a test does."""
    for name in ("GLASSJET_DATA", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{bound.getsockname()[1]}")
        yield bound


def published(folder: Path) -> dict[str, np.ndarray]:
    """Files in the original layout, as small as they come, and the momenta in them."""
    folder.mkdir(parents=True)
    made = {name: momenta(rows, seed) for seed, (name, rows) in enumerate(ROWS.items())}
    for name, four in made.items():
        table_file(folder / name, four)
    return made


def study(checkout: Path, **change: Any) -> tuple[str, ...]:
    """The arguments of a study whose one sample is the reference data set; `change` replaces keys of the sample."""
    sample = {"source": "top_reference", "dataset": "top_reference", "files": PUBLISHED} | change
    config: dict[str, Any] = {"study": "mine", "seeds": [1], "observables": {"variables": ["shapes"]}}
    config["samples"] = {"top": {name: value for name, value in sample.items() if value is not None}}
    config["figures"] = {"notebooks": ["generation"]}
    (checkout / "mine.yaml").write_text(yaml.safe_dump(config))
    return (*DEFAULT, "mine.yaml")


def test_only_what_is_not_there_is_downloaded(
    untouched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snakemake: Run, jobs: Jobs
) -> None:
    def planned() -> tuple[Counter[str], str]:
        done = snakemake(untouched, *OBSERVED, *arguments, "--dry-run")
        assert done.returncode == 0, done.stdout
        return jobs(done.stdout), done.stdout

    arguments = study(untouched)
    rest = {"import_jets": 4, "observe": 4}
    found, printed = planned()
    assert found == {"download": 3, **rest}
    assert "output: data/top_reference/val.h5" in printed
    published(untouched / "data" / "top_reference")
    assert planned()[0] == rest
    (untouched / "data" / "top_reference" / "val.h5").unlink()
    assert planned()[0] == {"download": 1, **rest}
    elsewhere = tmp_path / "else where"
    monkeypatch.setenv("GLASSJET_DATA", str(elsewhere))
    found, printed = planned()
    assert found == {"download": 3, **rest}
    assert f"output: {elsewhere}/top_reference/val.h5" in printed
    published(elsewhere / "top_reference")
    found, printed = planned()
    assert found == rest
    assert f"import '{elsewhere}/top_reference/train.h5'" in printed


def test_a_file_that_is_not_the_published_one_stops_the_study_and_stays(untouched: Path, snakemake: Run) -> None:
    folder = untouched / "data" / "top_reference"
    published(folder)
    content = (folder / "test.h5").read_bytes()
    done = snakemake(untouched, "results/mine/jets/top/test.h5", *study(untouched))
    assert done.returncode == 1
    log = (untouched / "results" / "mine" / "logs" / "import" / "top" / "test.log").read_text()
    told = f"data/top_reference/test.h5: has {len(content):,} bytes, but 347,849,376 are published"
    assert told in log
    assert told in done.stdout
    assert len(log.splitlines()) == 1
    assert (folder / "test.h5").read_bytes() == content
    assert not (untouched / "results" / "mine" / "jets" / "top" / "test.h5").exists()


def pts(four: np.ndarray) -> np.ndarray:
    """The jets' pT, of E, px, py, pz of their constituents."""
    return np.hypot(*four[..., 1:3].astype(float).sum(axis=1).T)


@pytest.mark.study
def test_files_at_any_path_become_jets_and_observables_of_all_splits(
    untouched: Path, tmp_path: Path, snakemake: Run, jobs: Jobs
) -> None:
    folder = tmp_path / "my files"
    made = published(folder)
    files = {split: [str(folder / name) for name in names] for split, names in PUBLISHED.items()}
    arguments = study(untouched, dataset=None, files=files)
    done = snakemake(untouched, *OBSERVED, *arguments)
    assert done.returncode == 0, done.stdout[-6000:]
    expected = {
        "train": made["train.h5"],
        "validation": made["val.h5"][0::2],
        "explain": made["val.h5"][1::2],
        "test": made["test.h5"],
    }
    events: list[int] = []
    for split, four in expected.items():
        with h5py.File(untouched / "results" / "mine" / "jets" / "top" / f"{split}.h5") as file:
            assert file["jets/pt"][:] == pytest.approx(pts(four), rel=1e-6)  # in the order of the file
            own = file["jets/event"][:].tolist()
        table = pd.read_parquet(untouched / "results" / "mine" / "observables" / "top" / f"{split}.parquet")
        assert table["event"].tolist() == own
        assert table["pt"].to_numpy() == pytest.approx(pts(four), rel=1e-6)
        assert "ptd" in " ".join(table.columns).lower()
        events += own
    assert len(events) == len(set(events)) == sum(ROWS.values())
    labels = pd.read_parquet(untouched / "results" / "mine" / "observables" / "top" / "train.parquet")["label"]
    assert labels.tolist() == [i % 2 for i in range(ROWS["train.h5"])]
    assert "Nothing to be done" in snakemake(untouched, *OBSERVED, *arguments).stdout
    swapped = study(untouched, dataset=None, files=files, signal=["qcd"], background=["top"])
    done = snakemake(untouched, *OBSERVED, *swapped, "--dry-run")
    assert jobs(done.stdout) == {"import_jets": 4, "observe": 4}


def test_jets_of_ones_own_are_read_again_if_their_yaml_changes(untouched: Path, snakemake: Run, jobs: Jobs) -> None:
    lists, singles = mapped_files.jets()
    path, _ = mapped_files.write(untouched, "hdf5_padded", lists, singles)
    own = (
        "constituents: {pt: part_pt, eta: part_eta, phi: part_phi, energy: part_energy}\n"
        "label: {column: is_signal, signal: [1], background: [0]}\nlevel: detector\nradius: 0.8\n"
    )
    (untouched / "my.yaml").write_text(own)
    arguments = study(untouched, source="own", dataset=None, columns="my.yaml", files={"test": [path.name]})
    target = "results/mine/jets/top/test.h5"
    done = snakemake(untouched, target, *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    with h5py.File(untouched / target) as file:
        assert file["jets/label"][:].tolist() == singles["is_signal"].tolist()
    (untouched / "my.yaml").write_text(own.replace("signal: [1], background: [0]", "signal: [0], background: [1]"))
    assert jobs(snakemake(untouched, target, *arguments, "--dry-run").stdout) == {"import_jets": 1}


@pytest.mark.parametrize("name", ["top_reference", "jetclass", "hbb_open_data", "energyflow"])
def test_shipped_studies_pass_a_dry_run_that_contacts_nobody(
    untouched: Path, gate: socket.socket, snakemake: Run, jobs: Jobs, name: str
) -> None:
    gate.listen()
    gate.setblocking(False)
    done = snakemake(untouched, *DEFAULT, f"config/{name}.yaml", "--dry-run")
    assert done.returncode == 0, done.stdout
    samples = yaml.safe_load((untouched / "config" / f"{name}.yaml").read_text())["samples"].values()
    splits = sum(len(sample["files"]) + ("validation" in sample["files"]) for sample in samples)  # explain is carved
    listed = jobs(done.stdout)
    assert listed["download"] >= 3
    assert listed["import_jets"] == listed["observe"] == splits
    assert listed["train"]
    assert listed["figures"] == 5
    with pytest.raises(BlockingIOError):
        gate.accept()
    assert not (untouched / "data").exists()


def test_without_a_network_the_log_says_what_to_put_where(untouched: Path, snakemake: Run) -> None:
    file = "data/top_reference/test.h5"
    done = snakemake(untouched, file, *DEFAULT, "config/top_reference.yaml")
    assert done.returncode == 1
    log = (untouched / "results" / "top_reference" / "logs" / "download" / "top_reference" / "test.h5.log").read_text()
    assert "no connection" in log
    by_hand = (
        "download test.h5 (347,849,376 bytes, md5:13163479dee30a5fe546e4536cc3d04d) by hand from "
        "https://zenodo.org/records/2603256 into data/top_reference and run the same command again"
    )
    assert by_hand in log
    assert by_hand in done.stdout
    assert "Traceback" not in log
    assert not list((untouched / "data").rglob("*.h5*"))
