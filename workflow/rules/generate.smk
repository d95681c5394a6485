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


rule import_jets:
    input:
        published_file,
    output:
        results("jets/{sample}/{split}.h5"),
    log:
        results("logs/import/{sample}/{split}.log"),
    benchmark:
        results("benchmarks/import/{sample}/{split}.tsv")
    wildcard_constraints:
        sample=from_source("top_reference"),
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=2000,
        runtime="4h",
    params:
        code=code("import"),
        settings=import_flags,
    shell:
        "python -m glassjet import {input:q} --sample {wildcards.sample} "
        "--split {wildcards.split} {params.settings} --out {output} > {log} 2>&1"
