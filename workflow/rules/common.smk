# Functions that the rules share: a rule says what is done, and here stands to what.
import os
import re
import shlex
import sys
from itertools import chain
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/workflow")

from glassjet.jets.published.datasets import DATASETS
from glassjet.taggers.registry import TAGGERS
from rules import crosschecks, digests, environment, settings

ROOT = Path(workflow.basedir, "workflow")
RUN = "{task}/{tagger}/{features}/seed{seed}"


def prepare():
    """Check the config and fill in its defaults; set the environment of the jobs."""
    files = " + ".join(os.path.relpath(path) for path in workflow.configfiles)
    schema = ROOT / "schemas" / "config.schema.yaml"
    try:
        config.update(settings.complete(config, schema, files))
    except settings.ConfigError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1)
    if workflow.is_main_process:
        environment.release_stale_locks(Path(".snakemake"))
    environment.export(ROOT)


# Where things lie


def results(path=""):
    return f"results/{config['study']}/{path}".rstrip("/")


def checkout(path):
    """A file of the checkout, as seen from the folder in which the study is run."""
    return os.path.relpath(Path(workflow.basedir, path))


def sample_of(wildcards):
    """The sample that a rule names, or that of its task."""
    return wildcards.get("sample") or own_sample(wildcards.task)


def jets(split):
    return lambda wildcards: results(f"jets/{sample_of(wildcards)}/{split}.h5")


def observables(split):
    return lambda wildcards: results(f"observables/{sample_of(wildcards)}/{split}.parquet")


def data_folder():
    """Where published data sets lie: what is there is used, what is not is downloaded there."""
    return os.environ.get("GLASSJET_DATA") or config["data"]


def published_paths(wildcards):
    """The files of a split; without files of its own explain is read from those of validation."""
    sample = config["samples"][wildcards.sample]
    split = wildcards.split
    if split == "explain" and split not in sample["files"]:
        split = "validation"
    folder = f"{data_folder()}/{sample['dataset']}/" if "dataset" in sample else ""
    return [f"{folder}{path}" for path in sample["files"].get(split, [])]


def published_inputs(wildcards):
    """Those files, and the description of one's own. A download is as old as it is: only its content counts."""
    sample = config["samples"][wildcards.sample]
    paths = published_paths(wildcards)
    if "dataset" in sample:
        return [ancient(path) for path in paths]
    return [*paths, *([sample["columns"]] if "columns" in sample else [])]


# What a result depends on besides its inputs: the code of its verb, and the part of the config that the verb is given


def code(verb):
    return digests.verb_digest(verb, ROOT)


def notebook_code(wildcards):
    return digests.notebook_digest("figures", Path(notebook(wildcards)), ROOT)


def generate_flags(wildcards):
    sample = config["samples"][wildcards.sample]
    counts = sample["jets"][wildcards.split].items()
    numbers = {f"jets_{role}": number for role, number in counts}
    return settings.flags(sample | numbers, without=("source", "jets", "variables"))


def card_content(wildcards):
    """What the card and the processes of a sample say: they are no code, and no key of the config."""
    return digests.content_digest(crosschecks.card_content(config["samples"][wildcards.sample]))


def card_inputs(wildcards):
    """The card, the processes and the events of a sample that are a user's own files."""
    return crosschecks.own_files(config["samples"][wildcards.sample])


def import_flags(wildcards):
    """The files and what is said of them; the files come first, for the classes are lists."""
    sample = config["samples"][wildcards.sample]
    told = {"format": sample.get("columns", sample["source"]), "take": crosschecks.take(sample, wildcards.split)}
    without = ("source", "files", "variables", "columns")
    flags = settings.flags({name: value for name, value in sample.items() if value != []} | told, without=without)
    return f"{' '.join(map(shlex.quote, published_paths(wildcards)))} {flags}"


def observe_flags(wildcards):
    """What is computed for every sample, and what for this one besides."""
    variables = crosschecks.variables_of(config, wildcards.sample)
    return settings.flags(config["observables"] | {"variables": variables})


def fit_flags(wildcards):
    return settings.flags(config["taggers"][wildcards.tagger])


def explain_flags(wildcards):
    """The methods of the tagger, and what is said of these methods."""
    section = config["explain"]
    methods = section["methods"][wildcards.tagger]
    others = {"shap", "masking"} - set(methods)
    idle = [key for key in section if key.partition("_")[0] in others]
    return settings.flags(section | {"methods": methods}, without=idle)


def reduce_flags(wildcards):
    fit = config["taggers"][wildcards.tagger]
    return settings.flags(config["reduce"] | fit, without=("taggers",))


def section_flags(section):
    return settings.flags(config[section], without=("taggers",))


def figures_flags(wildcards):
    """What a notebook is told of the study; one of a user's own is told everything."""
    section = config["figures"]
    task = section.get("task", "")
    explained = config["explain"]["methods"]
    methods = [name for names in explained.values() for name in names]
    among = {"attribution": explained, "ranking": config["rank"]["taggers"]}
    shown = list(shown_samples("variables_of" if wildcards.notebook == "variables" else "samples"))
    observed = [crosschecks.variables_of(config, sample) for sample, _ in shown]
    told = {
        "task": task,
        "sample": own_sample(task) if task else "",
        "samples": [f"{sample}/{split}" for sample, split in shown],
        "taggers": pairs(task, among.get(wildcards.notebook)) if task else [],
        "seeds": config["seeds"],
        "methods": [name for name in dict.fromkeys(methods) if name != "masking"],
        "variables": list(dict.fromkeys(chain(*observed))),
        "signal_efficiency": section["signal_efficiency"],
        "limit": section["limit"],
    }
    wanted = {
        "performance": ["task", "sample", "taggers", "seeds", "signal_efficiency"],
        "attribution": ["task", "sample", "taggers", "seeds", "methods"],
        "ranking": ["task", "sample", "taggers"],
        "generation": ["samples", "limit"],
        "variables": ["samples", "variables", "limit"],
    }
    return settings.flags({name: told[name] for name in wanted.get(wildcards.notebook, told)})


# What is in the study


def from_source(*sources):
    """The names of the samples that come from there, as a wildcard constraint."""
    found = [name for name, sample in config["samples"].items() if sample["source"] in sources]
    return "|".join(found) or "(?!)"


def entries(task, among=None):
    """The taggers of a task with their features: all, or those among a list of taggers."""
    for entry in config["tasks"][task]["taggers"]:
        if among is None or entry["tagger"] in among:
            yield entry["tagger"], entry["features"]


def pairs(task, among=None):
    return ["/".join(entry) for entry in entries(task, among)]


def runs(task, among=None, noise=False):
    """The wildcards of the models of a task, plain or those with noise."""
    for tagger, features in entries(task, among):
        if noise:
            features = f"{features}+noise"
        for seed in config["seeds"] if TAGGERS[tagger].trained else [0]:
            yield {"task": task, "tagger": tagger, "features": features, "seed": seed}


def at(pattern, wildcards):
    """The paths of a pattern, one for each set of wildcards, none twice."""
    return list(dict.fromkeys(results(pattern.format(**each)) for each in wildcards))


def own_sample(task):
    return config["tasks"][task]["sample"]


def sample_files(sample, splits):
    """The jets and the observables of some splits."""
    kinds = ("jets/{}/{}.h5", "observables/{}/{}.parquet")
    return [results(kind.format(sample, split)) for kind in kinds for split in splits]


def shown_samples(key):
    """The samples that figures.samples or figures.variables_of names, each with a split: explain, or its first."""
    for name in config["figures"][key] or config["samples"]:
        sample = config["samples"][name]
        splits = crosschecks.splits_of(sample)
        yield name, "explain" if "explain" in splits else splits[0]


def models(task, name, among=None):
    return at(f"models/{RUN}/{name}", runs(task, among))


def scores(task, suffix):
    """The scores on a task's own sample."""
    return models(task, f"scores/{own_sample(task)}.{suffix}")


def attributions(task, among, noise=False):
    return at(f"attributions/{RUN}/{own_sample(task)}", runs(task, among, noise))


def attributions_of_seeds(wildcards):
    """The attributions of a tagger with its features, a directory for each seed."""
    seeds = [dict(wildcards.items(), seed=seed) for seed in config["seeds"]]
    return at(f"attributions/{RUN}/{own_sample(wildcards.task)}", seeds)


def rankings(task):
    ranked = list(runs(task, config["rank"]["taggers"], noise=True))
    return [
        path
        for name in ("ranking", "agreement")
        for path in at(f"rankings/{{task}}/{{tagger}}/{{features}}/{name}.csv", ranked)
    ]


def all_scores():
    """The tables of scores of all tasks: taggers and reduced models, on the task's own sample and on the further ones."""
    found = []
    for task, section in config["tasks"].items():
        reduced = list(runs(task, config["reduce"]["taggers"]))
        for sample in [section["sample"], *section["scored_on"]]:
            found += models(task, f"scores/{sample}.csv")
            found += at(f"reduced/{RUN}/scores/{sample}.csv", reduced)
    return found


def all_attributions():
    """The attributions of all tasks, of the taggers and of those with noise."""
    found = []
    for task in config["tasks"]:
        found += attributions(task, config["explain"]["methods"])
        found += attributions(task, config["rank"]["taggers"], noise=True)
    return found


def notebook(wildcards):
    return checkout(f"workflow/notebooks/{wildcards.notebook}.ipynb")


def notebook_inputs(wildcards):
    """The results that a notebook reads; one of a user's own may read them all."""
    key = {"generation": "samples", "variables": "variables_of"}.get(wildcards.notebook)
    shown = [path for sample, split in shown_samples(key or "samples") for path in sample_files(sample, [split])]
    if key:
        return shown
    task = config["figures"]["task"]
    explained = config["explain"]["methods"]
    sample = own_sample(task)
    reads = {
        "performance": [
            results(f"jets/{sample}/test.h5"),
            results("summary.csv"),
            *scores(task, "h5"),
            *models(task, "history.csv"),
        ],
        "attribution": [
            results(f"jets/{sample}/explain.h5"),
            *attributions(task, explained),
            *models(task, "model.json", explained),
        ],
        "ranking": [results("summary.csv"), *rankings(task)],
    }
    everything = [sample_files(sample, ("train", "validation", "explain", "test")), shown, *reads.values()]
    return reads.get(wildcards.notebook, list(dict.fromkeys(chain(*everything))))


def drawn(kind):
    """The directories that the notebooks write."""
    return [results(f"{kind}/{name}") for name in config.get("figures", {}).get("notebooks", [])]


def paper_inputs(wildcards):
    task = config["paper"]["task"]
    splits = ("train", "validation", "explain", "test")
    return [
        results("summary.csv"),
        results("conservation.csv"),
        *[results(f"jets/{own_sample(task)}/{split}.h5") for split in splits],
        *rankings(task),
        *drawn("figures"),
        *drawn("tables"),
    ]


def manuscript():
    """The source of the paper."""
    return sorted(checkout(path) for path in Path(workflow.basedir, "paper").rglob("*") if path.is_file())


def targets():
    """What a study makes."""
    return [
        *([results("summary.csv"), results("conservation.csv")] if config["tasks"] else []),
        *[path for task in config["tasks"] for path in rankings(task)],
        *drawn("figures"),
        *drawn("tables"),
        *([results("paper.pdf")] if "paper" in config else []),
    ]
