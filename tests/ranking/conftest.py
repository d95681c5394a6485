"""Two seeds of a tagger on the toy sample with every attribution, made once."""

from pathlib import Path

import pytest

from glassjet.cli.main import main
from tests.attribution.toy_sample import write_toy


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def explained(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("attributions")
    for seed in (1, 2):
        words = ["explain", "--model", f"{toy}/mbns{seed}", "--jets", f"{toy}/explain.h5"]
        words += ["--observables", f"{toy}/explain.parquet", "--background-jets", f"{toy}/train.h5"]
        words += ["--background-observables", f"{toy}/train.parquet", "--shap-background", "20", "--shap-check", "3"]
        words += ["--methods", "lrp_p1", "lrp_p2", "lrp_recommended", "shap", "masking", "--device", "cpu"]
        assert main([*words, "--out", f"{folder}/seed{seed}"]) == 0
    return folder / "seed1", folder / "seed2"
