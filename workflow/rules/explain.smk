# From a trained tagger to its attributions, all methods in one job.


rule explain:
    input:
        model=results(f"models/{RUN}/model.json"),
        weights=results(f"models/{RUN}/weights.safetensors"),
        jets=jets("explain"),
        observables=observables("explain"),
        background_jets=jets("train"),
        background_observables=observables("train"),
    output:
        directory(results(f"attributions/{RUN}/{{sample}}")),
    log:
        results(f"logs/explain/{RUN}/{{sample}}.log"),
    benchmark:
        results(f"benchmarks/explain/{RUN}/{{sample}}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=4000,
        runtime="12h",
    params:
        code=code("explain"),
        settings=explain_flags,
        directory=subpath(input.model, parent=True),
    shell:
        "python -m glassjet explain --model {params.directory} --jets {input.jets} "
        "--observables {input.observables} --background-jets {input.background_jets} "
        "--background-observables {input.background_observables} {params.settings} "
        "--seed {wildcards.seed} --threads {threads} --out {output} > {log} 2>&1"
