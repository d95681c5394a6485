# From a trained tagger to its scores of the test jets.


rule score:
    input:
        model=results(f"models/{RUN}/model.json"),
        weights=results(f"models/{RUN}/weights.safetensors"),
        jets=jets("test"),
        observables=observables("test"),
    output:
        scores=results(f"models/{RUN}/scores/{{sample}}.h5"),
        table=results(f"models/{RUN}/scores/{{sample}}.csv"),
    log:
        results(f"logs/score/{RUN}/{{sample}}.log"),
    benchmark:
        results(f"benchmarks/score/{RUN}/{{sample}}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=4000,
        runtime="4h",
    params:
        code=code("score"),
        settings=section_flags("score"),
        directory=subpath(input.model, parent=True),
    shell:
        "python -m glassjet score --model {params.directory} --jets {input.jets} "
        "--observables {input.observables} {params.settings} --threads {threads} "
        "--out {output.scores} > {log} 2>&1"


rule score_reduced:
    input:
        subsets=results(f"reduced/{RUN}/subsets.csv"),
        models=results(f"reduced/{RUN}/subsets"),
        jets=jets("test"),
        observables=observables("test"),
    output:
        results(f"reduced/{RUN}/scores/{{sample}}.csv"),
    log:
        results(f"logs/score_reduced/{RUN}/{{sample}}.log"),
    benchmark:
        results(f"benchmarks/score_reduced/{RUN}/{{sample}}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=4000,
        runtime="4h",
    params:
        code=code("score"),
        settings=section_flags("score"),
        directory=subpath(input.subsets, parent=True),
    shell:
        "python -m glassjet score --model {params.directory} --jets {input.jets} "
        "--observables {input.observables} {params.settings} --threads {threads} "
        "--out {output} > {log} 2>&1"
