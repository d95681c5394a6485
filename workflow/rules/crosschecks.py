"""What no schema can say of a config: that its names belong together. Every complaint names the key and the way out."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from glassjet.errors import InputError, unknown
from glassjet.jets import cards
from glassjet.jets.keys import KEYS, checked, settings_of
from glassjet.jets.published.datasets import DATASETS
from glassjet.observables.registry import columns, is_known, members, need
from glassjet.taggers.features import WORDS, FeatureSet, parse
from glassjet.taggers.registry import TAGGERS, tagger_of

Config = dict[str, Any]

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SPLITS = ("train", "validation", "explain", "test")
# What jets of each source know besides momenta, and what it means that they do not: see the registry of variables.
GIVES: dict[str, tuple[str, ...]] = {
    "pythia": ("types", "charges"),
    "toy": ("toy",),
    "top_reference": (),
    "jetclass": ("types", "charges", "tracks"),
    "hbb_open_data": ("types", "charges", "tracks"),
    "energyflow": ("types", "charges"),
    "hls4ml": (),
    "nanoaod": ("types", "charges", "tracks"),
    "own": ("types", "charges", "tracks"),  # what of these it has its columns say, and the verb checks
}
PUBLISHED = tuple(name for name in GIVES if name not in ("pythia", "toy"))
LACKS = {
    "types": "does not know what its constituents are",
    "charges": "does not know its constituents' charges",
    "tracks": "has no tracks (tracks: measured)",
    "toy": "is not of the toy model",
}
# The rankings that the method `masking` gives.
MASKING = (
    "delta_auc",
    "delta_cross_entropy",
    "mad",
    "delta_auc_conditional",
    "delta_cross_entropy_conditional",
    "delta_auc_mean",
    "mad_papers_mean",
    "delta_auc_zero",
)
# What the manuscript compares.
PAPER_TAGGERS = (
    "mass_tau32/mass_tau32",
    "mbns/mbns",
    "xaug_dnn/xaug29",
    "xaug_image/image",
    "xaug_image/image+xaug29",
    "pfn/kinematics",
)
PAPER_RANKED = ("mbns", "xaug_dnn")
PAPER_METHODS = ("lrp_p1", "lrp_p2", "lrp_recommended")
PAPER_RANKED_METHODS = (*PAPER_METHODS, "shap", "masking")
PAPER_NOTEBOOKS = ("generation", "performance", "attribution", "ranking")


def complaints(config: Config) -> Iterator[str]:
    """All that is wrong with a config that its schema has passed."""
    for name, sample in config["samples"].items():
        yield from _sample(f"samples.{name}", sample)
        yield from _variables(name, config)
    for name in config["observables"]["variables"]:
        yield from _known("observables.variables", name)
    for name, task in config["tasks"].items():
        yield from _task(f"tasks.{name}", task, config)
    yield from _explain(config)
    yield from _rank(config)
    yield from _reduce(config)
    if "figures" in config:
        yield from _figures(config)
    if "paper" in config:
        yield from _paper(config)


def processes(sample: Config) -> list[cards.Process]:
    """The two processes of a sample of Pythia's; an InputError names a card or a process that does not exist."""
    card = cards.card_of(sample["card"]) | sample
    return [cards.process_of(card[role]) for role in ("signal", "background")]


def card_content(sample: Config) -> list[Any]:
    """What the card and the processes of a sample say, without comments; events are left out."""
    return [cards.card_of(sample["card"]), *[[line for _, line in process.lines] for process in processes(sample)]]


def own_files(sample: Config) -> list[str]:
    """The card, the processes and the events of a sample that are a user's own files."""
    paths = [Path(sample["card"])] if sample["card"] not in cards.TASKS else []
    paths += [process.path for process in processes(sample) if process.path not in cards.PROCESSES.values()]
    return [str(path) for path in dict.fromkeys(paths)]


def splits_of(sample: Config) -> list[str]:
    """The splits of a sample, explain first: where files of explain are missing, it is carved out of validation."""
    there = sample["files"] if "files" in sample else sample["jets"]
    carved = "files" in sample and "validation" in there
    return [split for split in sorted(SPLITS) if split in there or (split == "explain" and carved)]


def take(sample: Config, split: str) -> str:
    """Which of every two jets of its files a split takes: validation shares with an explain that has no files."""
    if split in ("validation", "explain") and "explain" not in sample["files"]:
        return "0/2" if split == "validation" else "1/2"
    return "0/1"


def _published(key: str, sample: Config) -> Iterator[str]:
    """Whether files are named as they can be found."""
    if ("columns" in sample) != (sample["source"] == "own"):
        yield (
            f"{key}.columns: is missing; jets of your own need a YAML that describes them (glassjet import --describe)"
            if sample["source"] == "own"
            else f"{key}.columns: is for source own; {sample['source']} is known, leave it out"
        )
    seen: dict[str, str] = {}
    for split, paths in sample["files"].items():
        for path in paths:
            if path in seen:
                yield f"{key}.files.{split}: {path!r} is of {seen[path]} already; a jet is in one split only"
            seen[path] = split
    if "dataset" not in sample:
        return
    if sample["dataset"] not in DATASETS:
        yield f"{key}.dataset: {unknown('data set', sample['dataset'], DATASETS)}"
        return
    dataset = DATASETS[sample["dataset"]]
    if dataset.format != sample["source"]:
        yield f"{key}.dataset: {dataset.name} is of source {dataset.format}, not {sample['source']}"
    names = {file.name for file in dataset.files}
    names |= {name.removesuffix(".tar") for name in names}
    for split, paths in sample["files"].items():
        for path in paths:
            if path not in names:
                yield f"{key}.files.{split}: {unknown('file of ' + dataset.name, path, names)}"


def _sample(key: str, sample: Config) -> Iterator[str]:
    if sample["source"] in PUBLISHED:
        yield from _published(key, sample)
    if sample["source"] != "pythia":
        return
    try:
        keys = {name: value for name, value in sample.items() if name in KEYS}
        card = checked(cards.card_of(sample["card"]) | keys, f"card {sample['card']}")
    except InputError as error:
        yield f"{key}.card: {error}"
        return
    for role in ("signal", "background"):
        try:
            settings_of(card, role)
        except InputError as error:
            yield about_key(key, str(error))
            return
        try:
            cards.process_of(card[role])
        except InputError as error:
            yield f"{key}.{role}: {error}"
    if card["signal"] == card["background"]:
        yield f"{key}.background: is {card['background']!r}, as the signal is; name another process"


def variables_of(config: Config, sample: str) -> list[str]:
    """What is computed for a sample: the variables of all samples, and its own."""
    return list(dict.fromkeys([*config["observables"]["variables"], *config["samples"][sample]["variables"]]))


def _known(key: str, word: str) -> Iterator[str]:
    """Whether there is a variable or a set of that name."""
    try:
        members(word)
    except InputError as error:
        yield f"{key}: {error}"


def _variables(name: str, config: Config) -> Iterator[str]:
    """Whether a sample's own variables exist, and whether the sample can give all that are asked of it."""
    sample = config["samples"][name]
    for word in sample["variables"]:
        yield from _known(f"samples.{name}.variables", word)
    gives = ["", *GIVES[sample["source"]], *_tracks(sample)]
    for word in variables_of(config, name):
        lacking = [variable for variable in (members(word) if is_known(word) else ()) if need(variable) not in gives]
        if lacking:
            own = word in sample["variables"]
            key = f"samples.{name}.variables" if own else "observables.variables"
            way_out = "leave it out" if own else "name it in `variables` of the samples that have them"
            yield f"{key}: {lacking[0]!r} of {word!r}: the sample {name!r} {LACKS[need(lacking[0])]}; {way_out}"


def _tracks(sample: Config) -> Iterator[str]:
    """ "tracks" if a sample of Pythia's has them."""
    if sample["source"] == "pythia":
        try:
            card = cards.card_of(sample["card"])
        except InputError:
            return  # complained of elsewhere
        if sample.get("tracks", card.get("tracks", "off")) != "off":
            yield "tracks"


def about_key(key: str, message: str) -> str:
    """A message about a flag as one about a key of the config: "--radius 0: …" becomes "samples.top.radius: 0: …"."""
    named = re.match(r"--([a-z0-9-]+) ", message)
    place = f"{key}.{named[1].replace('-', '_')}: {message[named.end() :]}" if named else f"{key}: {message}"
    return re.sub(r"--([a-z0-9-]+)", lambda found: found[1].replace("-", "_"), place)


def _task(key: str, task: Config, config: Config) -> Iterator[str]:
    yield from _has(f"{key}.sample", task["sample"], SPLITS, config)
    for name in task["scored_on"]:
        if name == task["sample"]:
            yield f"{key}.scored_on: {name!r} is the task's own sample and is scored anyway; leave it out"
        else:
            yield from _has(f"{key}.scored_on", name, ("test",), config)
    for number, entry in enumerate(task["taggers"]):
        yield from _entry(f"{key}.taggers[{number}]", entry, [task["sample"], *task["scored_on"]], config)


def _has(key: str, name: str, splits: tuple[str, ...], config: Config) -> Iterator[str]:
    """Whether a sample exists and has these splits."""
    if name not in config["samples"]:
        yield f"{key}: {unknown('sample', name, config['samples'])}"
        return
    sample = config["samples"][name]
    part = "files" if "files" in sample else "jets"
    for split in splits:
        if split not in splits_of(sample):
            yield f"samples.{name}.{part}: the key {split!r} is missing; {key} needs these jets"


def _entry(key: str, entry: Config, samples: list[str], config: Config) -> Iterator[str]:
    """Whether a tagger exists, can take its features, and these are computed for the samples of its task."""
    tagger, features = entry["tagger"], entry["features"]
    if tagger not in TAGGERS:
        yield f"{key}.tagger: {unknown('tagger', tagger, TAGGERS)}"
        return
    try:
        tagger_of(tagger, parse(features))
    except InputError as error:
        yield f"{key}.features: {error}"
        return
    words = features.split("+")
    if "noise" in words:
        yield f"{key}.features: leave noise out; name the tagger in rank.taggers, and it is trained with noise for that"
    for word, sample in product(words, samples):
        if word not in WORDS and sample in config["samples"]:
            asked = [known for known in variables_of(config, sample) if is_known(known)]
            if not set(members(word)) <= set(columns(asked)):
                yield f"{key}.features: {word!r} is not computed for {sample!r}; add it to observables.variables"
                return


def _features(config: Config, tagger: str) -> list[FeatureSet]:
    """The feature sets that a tagger is given somewhere, without those that were complained of."""
    found = []
    for task in config["tasks"].values():
        for entry in task["taggers"]:
            samples = [task["sample"], *task["scored_on"]]
            if entry["tagger"] == tagger and not list(_entry("", entry, samples, config)):
                found.append(parse(entry["features"]))
    return found


def _explain(config: Config) -> Iterator[str]:
    for tagger, methods in config["explain"]["methods"].items():
        key = f"explain.methods.{tagger}"
        if tagger not in TAGGERS:
            yield f"{key}: {unknown('tagger', tagger, TAGGERS)}"
        elif not TAGGERS[tagger].trained:
            yield f"{key}: {tagger} has no network, so there is nothing to explain; leave the key out"
        elif "shap" in methods:
            for features in _features(config, tagger):
                if features.inputs != {"table"}:
                    yield f"{key}: shap is for taggers on a table, and {tagger} takes {features.name}; leave it out"


def _rank(config: Config) -> Iterator[str]:
    trained = sorted({entry["tagger"] for task in config["tasks"].values() for entry in task["taggers"]})
    for tagger in config["rank"]["taggers"]:
        if tagger not in trained:
            yield f"rank.taggers: {unknown('tagger in the tasks', tagger, trained)}"
        elif tagger not in config["explain"]["methods"]:
            yield f"rank.taggers: {tagger} is not explained; add the key explain.methods.{tagger}"


def _reduce(config: Config) -> Iterator[str]:
    section = config["reduce"]
    if section["taggers"] and not section["methods"] and not section["random"]:
        yield "reduce.methods: no ranking is named; name some, or give reduce.random"
    for tagger in section["taggers"]:
        if tagger not in config["rank"]["taggers"]:
            yield f"reduce.taggers: {unknown('tagger in rank.taggers', tagger, config['rank']['taggers'])}"
            continue
        explained = config["explain"]["methods"].get(tagger, [])
        known = [name for name in explained if name != "masking"] + list(MASKING if "masking" in explained else ())
        for method in section["methods"]:
            if method not in known:
                problem = unknown(f"ranking of {tagger}", method, known)
                yield f"reduce.methods: {problem}; add what makes it to explain.methods.{tagger}"
        for features in _features(config, tagger):
            if not features.table:
                yield f"reduce.taggers: {tagger} takes {features.name}, with no variables to choose from; leave it out"
            elif max(section["k"]) > len(features.table):
                yield (
                    f"reduce.k: {max(section['k'])} is more than the {len(features.table)} variables that {tagger} "
                    f"takes ({features.name}); give at most {len(features.table)}"
                )


def _figures(config: Config) -> Iterator[str]:
    section = config["figures"]
    about_tasks = [name for name in section["notebooks"] if name not in ("generation", "variables")]
    if "task" not in section and about_tasks:
        yield f"figures.task: is missing; {about_tasks[0]} is about a task: name one, or leave the notebook out"
    elif "task" in section and section["task"] not in config["tasks"]:
        yield f"figures.task: {unknown('task', section['task'], config['tasks'])}"
    for key in ("samples", "variables_of"):
        for name in section[key]:
            if name not in config["samples"]:
                yield f"figures.{key}: {unknown('sample', name, config['samples'])}"
    stored = [path.stem for path in NOTEBOOKS.glob("*.ipynb")]
    for name in section["notebooks"]:
        if name not in stored:
            yield f"figures.notebooks: {unknown('notebook in workflow/notebooks', name, stored)}"
    ranked, reduced = config["rank"]["taggers"], config["reduce"]["taggers"]
    if "ranking" in section["notebooks"] and (not ranked or set(ranked) - set(reduced)):
        yield "figures.notebooks: ranking draws rankings and reduced models; name the same in rank and reduce.taggers"
    if "attribution" in section["notebooks"] and not config["explain"]["methods"]:
        yield "figures.notebooks: attribution draws what is explained, which is nothing; give explain.methods"


def _paper(config: Config) -> Iterator[str]:
    """Whether the study has all that the manuscript compares."""
    task = config["paper"]["task"]
    out = "or leave the section paper out"
    if task not in config["tasks"]:
        yield f"paper.task: {unknown('task', task, config['tasks'])}"
        return
    if config.get("figures", {}).get("task") != task:
        yield f"figures.task: the paper is about {task!r} and needs its figures; give that task, {out}"
    for name in PAPER_NOTEBOOKS:
        if name not in config.get("figures", {}).get("notebooks", []):
            yield f"figures.notebooks: the paper needs {name}; add it, {out}"
    sample, shown = config["tasks"][task]["sample"], config.get("figures", {}).get("samples")
    if shown and sample not in shown:
        yield f"figures.samples: the paper needs {sample}; add it, {out}"
    entries = [f"{entry['tagger']}/{entry['features']}" for entry in config["tasks"][task]["taggers"]]
    for name in PAPER_TAGGERS:
        if name not in entries:
            yield f"tasks.{task}.taggers: the paper compares {name}; add it, {out}"
    for tagger in dict.fromkeys(name.split("/")[0] for name in PAPER_TAGGERS):
        wanted = PAPER_RANKED_METHODS if tagger in PAPER_RANKED else PAPER_METHODS if TAGGERS[tagger].trained else ()
        for method in wanted:
            if method not in config["explain"]["methods"].get(tagger, []):
                yield f"explain.methods.{tagger}: the paper needs {method}; add it, {out}"
    for tagger in PAPER_RANKED:
        if tagger not in config["rank"]["taggers"]:
            yield f"rank.taggers: the paper needs {tagger}; add it, {out}"
    if len(config["seeds"]) < 2:
        yield f"seeds: the paper compares seeds; give two or more, {out}"
