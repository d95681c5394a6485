# From nothing, or from a published file, to jets.


rule generate:
    input:
        card_inputs,
    output:
        results("jets/{sample}/{split}.h5"),
    log:
        results("logs/generate/{sample}/{split}.log"),
    benchmark:
        results("benchmarks/generate/{sample}/{split}.tsv")
    wildcard_constraints:
        sample=from_source("pythia"),
    conda:
        "../../envs/glassjet.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, threads: 1000 + 500 * threads,
        runtime="12h",
    params:
        code=code("generate"),
        card=card_content,
        settings=generate_flags,
        checkpoint=results(".checkpoints/generate/{sample}/{split}"),
    shell:
        "python -m glassjet generate --sample {wildcards.sample} "
        "--split {wildcards.split} {params.settings} --processes {threads} "
        "--checkpoint {params.checkpoint} --out {output} > {log} 2>&1"


rule toy:
    output:
        results("jets/{sample}/{split}.h5"),
    log:
        results("logs/toy/{sample}/{split}.log"),
    benchmark:
        results("benchmarks/toy/{sample}/{split}.tsv")
    wildcard_constraints:
        sample=from_source("toy"),
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        code=code("toy"),
        settings=generate_flags,
    shell:
        "python -m glassjet toy --sample {wildcards.sample} --split {wildcards.split} {params.settings} "
        "--out {output} > {log} 2>&1"


rule download:
    output:
        f"{data_folder()}/{{dataset}}/{{file}}",
    log:
        results("logs/download/{dataset}/{file}.log"),
    wildcard_constraints:
        dataset="|".join(DATASETS),
        file="|".join(re.escape(file.name) for dataset in DATASETS.values() for file in dataset.files),
    conda:
        "../../envs/glassjet.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "python -m glassjet download {wildcards.dataset} --files {wildcards.file} --to {params.folder:q} > {log} 2>&1"


rule unpack:
    input:
        ancient(f"{data_folder()}/{{dataset}}/{{archive}}.tar"),
    output:
        directory(f"{data_folder()}/{{dataset}}/{{archive}}"),
    log:
        results("logs/unpack/{dataset}/{archive}.log"),
    wildcard_constraints:
        dataset="|".join(DATASETS),
        archive="|".join(
            re.escape(file.name.removesuffix(".tar"))
            for dataset in DATASETS.values()
            for file in dataset.files
            if file.name.endswith(".tar")
        ),
    conda:
        "../../envs/glassjet.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "python -m glassjet download {wildcards.dataset} --files {wildcards.archive}.tar --unpack --to {params.folder:q} > {log} 2>&1"


rule import_jets:
    input:
        published_inputs,
    output:
        results("jets/{sample}/{split}.h5"),
    log:
        results("logs/import/{sample}/{split}.log"),
    benchmark:
        results("benchmarks/import/{sample}/{split}.tsv")
    wildcard_constraints:
        sample=from_source(*crosschecks.PUBLISHED),
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=3000,
        runtime="4h",
    params:
        code=code("import"),
        settings=import_flags,
    shell:
        "python -m glassjet import {params.settings} --sample {wildcards.sample} "
        "--split {wildcards.split} --out {output} > {log} 2>&1"
