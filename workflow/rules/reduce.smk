# From ranked features to taggers that see only the first of them, all in one job for a seed.


rule reduce:
    input:
        ranking=results("rankings/{task}/{tagger}/{features}+noise/ranking.csv"),
        jets=jets("train"),
        observables=observables("train"),
        validation_jets=jets("validation"),
        validation_observables=observables("validation"),
    output:
        subsets=results(f"reduced/{RUN}/subsets.csv"),
        models=directory(results(f"reduced/{RUN}/subsets")),
    log:
        results(f"logs/reduce/{RUN}.log"),
    benchmark:
        results(f"benchmarks/reduce/{RUN}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=4000,
        runtime="24h",
    params:
        code=code("reduce"),
        settings=reduce_flags,
        checkpoint=results(f".checkpoints/reduce/{RUN}"),
        directory=subpath(output.subsets, parent=True),
    shell:
        "python -m glassjet reduce --tagger {wildcards.tagger} --features {wildcards.features} "
        "--task {wildcards.task} --ranking {input.ranking} --jets {input.jets} "
        "--observables {input.observables} --validation-jets {input.validation_jets} "
        "--validation-observables {input.validation_observables} "
        "--seed {wildcards.seed} {params.settings} --threads {threads} --checkpoint {params.checkpoint} "
        "--out {params.directory} > {log} 2>&1"
