# The study, from jets to the paper. The config says what it is made of (config/README.md), a profile how it is run:
#   snakemake --profile workflow/profiles/default --configfile config/quick.yaml
from snakemake.utils import min_version

min_version("9.0")

if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config/quick.yaml"


include: "workflow/rules/common.smk"


prepare()


localrules:
    all,
    download,
    unpack,
    summarise,
    figures,
    paper,


wildcard_constraints:
    sample="[^/]+",
    split="[^/]+",
    task="[^/]+",
    tagger="[^/]+",
    features="[^/]+",
    seed="[0-9]+",
    notebook="[^/]+",


rule all:
    default_target: True
    input:
        targets(),


include: "workflow/rules/generate.smk"
include: "workflow/rules/observe.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/rank.smk"
include: "workflow/rules/reduce.smk"
include: "workflow/rules/summarise.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
