"""Configs that are wrong are refused in one line that names the key and the way out; good ones become flags."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import settings

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
MINI: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "mini.yaml").read_text())

# What is done to the miniature study's config, and what the first line must say.
PUBLISHED: dict[str, Any] = {
    "source": "top_reference",
    "dataset": "top_reference",
    "files": {"train": ["train.h5"], "validation": ["val.h5"], "test": ["test.h5"]},
}
WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown key": (lambda c: c.update(sead=1), "there is no key 'sead' (did you mean 'seeds'?)"),
    "unknown key below": (
        lambda c: c["taggers"]["pfn"].update(epoch=1),
        "taggers.pfn: there is no key 'epoch' (did you mean 'epochs'?)",
    ),
    "missing key": (lambda c: c.pop("seeds"), "the key 'seeds' is missing; add it: the seeds of every training"),
    "no list": (lambda c: c.update(seeds=1), "seeds: 1 is not a list; write [1]"),
    "no integer": (lambda c: c.update(seeds=["one"]), "seeds[0]: 'one' is not a whole number"),
    "no seed": (lambda c: c.update(seeds=[]), "seeds: 0 entries are too few; give at least 1"),
    "a seed twice": (lambda c: c.update(seeds=[1, 1]), "seeds: an entry of [1, 1] stands twice; name each once"),
    "number that YAML takes for a word": (
        lambda c: c["taggers"]["pfn"].update(learning_rate="3e-4"),
        "taggers.pfn.learning_rate: '3e-4' is not a number; write 0.0003",
    ),
    "out of range": (
        lambda c: c["taggers"]["pfn"].update(epochs=0),
        "taggers.pfn.epochs: 0 is out of range; give at least 1",
    ),
    "word for a switch": (lambda c: c["samples"]["top"].update(mpi="on"), "samples.top.mpi: 'on' is not true or false"),
    "name that is no folder": (lambda c: c.update(study="a/b"), "study: 'a/b' cannot name a file"),
    "unknown source": (
        lambda c: c["samples"]["top"].update(source="pythis"),
        "samples.top.source: there is no source 'pythis' (did you mean 'pythia'?)",
    ),
    "unknown process": (
        lambda c: c["samples"]["top"].update(signal="tops"),
        "samples.top.signal: there is no process 'tops' (did you mean 'top'?)",
    ),
    "unknown card": (
        lambda c: c["samples"]["top"].update(card="tops"),
        "samples.top.card: there is no card 'tops' (did you mean 'top'?)",
    ),
    "card that is no file": (
        lambda c: c["samples"]["top"].update(card="my.yaml"),
        "samples.top.card: my.yaml: no such",
    ),
    "process that is no file": (
        lambda c: c["samples"]["top"].update(signal="my.lhe"),
        "samples.top.signal: my.lhe: no such file",
    ),
    "value that Pythia does not take": (
        lambda c: c["samples"]["top"].update(fsr_scale=5),
        "samples.top.fsr_scale: 5: Pythia takes",
    ),
    "truth behind a detector": (
        lambda c: c["samples"]["top"].update(detector=True, tracks="production"),
        "samples.top.tracks: production is the truth, which no detector sees; give tracks measured, or off",
    ),
    "figures of no task": (lambda c: c["figures"].pop("task"), "figures.task: is missing; performance is about a task"),
    "variables of an unknown sample": (
        lambda c: c["figures"].update(variables_of=["tops"]),
        "figures.variables_of: there is no sample 'tops' (did you mean 'top'?)",
    ),
    "unknown data set": (
        lambda c: c["samples"].update(top=PUBLISHED | {"dataset": "top_referense"}),
        "samples.top.dataset: there is no data set 'top_referense' (did you mean 'top_reference'?)",
    ),
    "file that a data set does not have": (
        lambda c: c["samples"].update(top=PUBLISHED | {"files": PUBLISHED["files"] | {"test": ["tests.h5"]}}),
        "samples.top.files.test: there is no file of top_reference 'tests.h5' (did you mean 'test.h5'",
    ),
    "file in two splits": (
        lambda c: c["samples"].update(top=PUBLISHED | {"files": PUBLISHED["files"] | {"test": ["train.h5"]}}),
        "samples.top.files.test: 'train.h5' is of train already; a jet is in one split only",
    ),
    "data set of another source": (
        lambda c: c["samples"].update(top=PUBLISHED | {"source": "jetclass"}),
        "samples.top.dataset: top_reference is of source top_reference, not jetclass",
    ),
    "own files without a description": (
        lambda c: c["samples"].update(top={"source": "own", "files": PUBLISHED["files"]}),
        "samples.top.columns: is missing; jets of your own need a YAML that describes them",
    ),
    "description of a known data set": (
        lambda c: c["samples"].update(top=PUBLISHED | {"columns": "mine.yaml"}),
        "samples.top.columns: is for source own; top_reference is known, leave it out",
    ),
    "types of jets that do not know them": (
        lambda c: c["samples"].update(top=PUBLISHED | {"variables": ["types"]}),
        "samples.top.variables: 'multiplicity_charged_hadrons' of 'types': the sample 'top' does not know what its",
    ),
    "figures of an unknown sample": (
        lambda c: c["figures"].update(samples=["tops"]),
        "figures.samples: there is no sample 'tops' (did you mean 'top'?)",
    ),
    "signal is background": (
        lambda c: c["samples"]["top"].update(background="top"),
        "samples.top.background: is 'top', as the signal is; name another process",
    ),
    "window upside down": (
        lambda c: c["samples"]["top"].update(pt=[650, 550]),
        "samples.top.pt: 650 550: give a lower and a higher energy in GeV",
    ),
    "no test jets": (lambda c: c["samples"]["top"]["jets"].pop("test"), "samples.top.jets: the key 'test' is missing"),
    "published sample without a split": (
        lambda c: c["samples"].update(top={"source": "top_reference", "files": {"test": ["t.h5"]}}),
        "samples.top.files: the key 'train' is missing; tasks.top.sample needs these jets",
    ),
    "unknown sample": (
        lambda c: c["tasks"]["top"].update(sample="tpo"),
        "tasks.top.sample: there is no sample 'tpo' (did you mean 'top'?); known: top",
    ),
    "unknown sample to score": (
        lambda c: c["tasks"]["top"].update(scored_on=["w"]),
        "tasks.top.scored_on: there is no sample 'w'; known: top, top_detector",
    ),
    "unknown tagger": (
        lambda c: c["tasks"]["top"]["taggers"][1].update(tagger="mbn"),
        "tasks.top.taggers[1].tagger: there is no tagger 'mbn' (did you mean 'mbns'?)",
    ),
    "unknown features": (
        lambda c: c["tasks"]["top"]["taggers"][1].update(features="mbsn"),
        "tasks.top.taggers[1].features: there is no feature set 'mbsn' (did you mean 'mbns'?)",
    ),
    "features that the tagger cannot take": (
        lambda c: c["tasks"]["top"]["taggers"][1].update(features="kinematics"),
        "tasks.top.taggers[1].features: tagger mbns takes table",
    ),
    "noise by hand": (
        lambda c: c["tasks"]["top"]["taggers"][1].update(features="mbns+noise"),
        "tasks.top.taggers[1].features: leave noise out; name the tagger in rank.taggers",
    ),
    "set that is not computed": (
        lambda c: c["observables"].update(variables=["mbns"]),
        "tasks.top.taggers[2].features: 'xaug29' is not computed for 'top'; add it to observables.variables",
    ),
    "unknown set": (
        lambda c: c["observables"]["variables"].append("mbn"),
        "observables.variables: there is no expert variable or set 'mbn' (did you mean 'mbns'?)",
    ),
    "unknown variable of a sample": (
        lambda c: c["samples"]["top"].update(variables=["tau3_b1_kt"]),
        "samples.top.variables: there is no expert variable or set 'tau3_b1_kt' (did you mean 'tau3_b10_kt'",
    ),
    "variable written in another way": (
        lambda c: c["observables"]["variables"].append("tau32_b10"),
        "observables.variables: the expert variable 'tau32_b10' is written 'tau32'",
    ),
    "variable that a sample cannot give": (
        lambda c: c["samples"]["top"].update(variables=["xaug36"]),
        "samples.top.variables: 'dxy_max' of 'xaug36': the sample 'top' has no tracks (tracks: measured); leave it out",
    ),
    "variable that only some samples can give": (
        lambda c: c["observables"]["variables"].append("toy_r1"),
        "observables.variables: 'toy_r1' of 'toy_r1': the sample 'top' is not of the toy model; name it in `variables`",
    ),
    "unknown method": (
        lambda c: c["explain"]["methods"].update(pfn=["lpr_p2"]),
        "explain.methods.pfn[0]: there is no entry 'lpr_p2' (did you mean 'lrp_p2'",
    ),
    "method for other taggers": (
        lambda c: c["explain"]["methods"]["pfn"].append("shap"),
        "explain.methods.pfn: shap is for taggers on a table, and pfn takes kinematics; leave it out",
    ),
    "nothing to explain": (
        lambda c: c["explain"]["methods"].update(mass_tau32=["lrp_p1"]),
        "explain.methods.mass_tau32: mass_tau32 has no network",
    ),
    "rank a tagger that is not trained": (
        lambda c: c["rank"]["taggers"].append("mbn"),
        "rank.taggers: there is no tagger in the tasks 'mbn' (did you mean 'mbns'?)",
    ),
    "rank without attributions": (
        lambda c: c["explain"]["methods"].pop("mbns"),
        "rank.taggers: mbns is not explained; add the key explain.methods.mbns",
    ),
    "reduce what is not ranked": (
        lambda c: c["reduce"]["taggers"].append("pfn"),
        "reduce.taggers: there is no tagger in rank.taggers 'pfn'; known: mbns, xaug_dnn",
    ),
    "more variables than there are": (
        lambda c: c["reduce"].update(k=[1, 23]),
        "reduce.k: 23 is more than the 22 variables that mbns takes (mbns); give at most 22",
    ),
    "unknown ranking": (
        lambda c: c["reduce"].update(methods=["delta_auk"]),
        "reduce.methods: there is no ranking of mbns 'delta_auk' (did you mean 'delta_auc'",
    ),
    "unknown notebook": (
        lambda c: c["figures"]["notebooks"].append("rankings"),
        "figures.notebooks: there is no notebook in workflow/notebooks 'rankings' (did you mean 'ranking'?)",
    ),
    "paper without a tagger": (
        lambda c: c["tasks"]["top"]["taggers"].pop(),
        "tasks.top.taggers: the paper compares pfn/kinematics; add it, or leave the section paper out",
    ),
    "paper without its sample": (
        lambda c: c["figures"].update(samples=["top_detector"]),
        "figures.samples: the paper needs top; add it, or leave the section paper out",
    ),
    "paper of one seed": (lambda c: c.update(seeds=[1]), "seeds: the paper compares seeds; give two or more"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_config_is_refused_in_words(case: str) -> None:
    config = copy.deepcopy(MINI)
    change, first = WRONG[case]
    change(config)
    with pytest.raises(settings.ConfigError) as refused:
        settings.complete(config, SCHEMA, "config/mine.yaml")
    assert str(refused.value).splitlines()[0].startswith(f"config/mine.yaml: {first}")


def test_every_missing_key_is_said_once() -> None:
    with pytest.raises(settings.ConfigError) as refused:
        settings.complete({}, SCHEMA, "empty.yaml")
    lines = str(refused.value).splitlines()
    assert len(lines) == len(set(lines)) == 4


def test_defaults_are_filled_in_at_every_depth_and_nothing_is_shared() -> None:
    config = copy.deepcopy(MINI)
    for section in ("taggers", "score", "explain", "rank", "reduce", "figures", "paper"):
        del config[section]
    del config["samples"]["top"]["seed"]
    filled = settings.complete(config, SCHEMA, "x")
    assert filled["taggers"]["pfn"] == filled["taggers"]["mbns"]
    assert filled["taggers"]["pfn"]["learning_rate"] == 3e-4
    assert filled["taggers"]["mass_tau32"]["window"] == [105, 210]
    assert filled["samples"]["top"]["seed"] == 1
    assert filled["tasks"]["top"]["scored_on"] == ["top_detector"]
    assert "figures" not in filled
    filled["taggers"]["pfn"]["milestones"].append(1)
    assert filled["taggers"]["mbns"]["milestones"] == []
    assert "seed" not in config["samples"]["top"]


def test_flags_are_sorted_and_written_as_the_verbs_take_them() -> None:
    section = {"pt": [550, 650], "mpi": False, "batch_size": 250, "milestones": [], "rate": 1e-4, "source": "pythia"}
    assert settings.flags(section, without=("source",)) == "--batch-size 250 --mpi off --pt 550 650 --rate 0.0001"
    assert settings.flags({"pythia": ["A:b = on", "C:d = 1"]}) == "--pythia 'A:b = on' 'C:d = 1'"
    backwards = dict(reversed(section.items()))
    assert settings.flags(backwards) == settings.flags(section)
