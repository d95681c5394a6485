# From jets and expert variables to a trained tagger, one seed a job. One thread: seeds side by side are faster than one
# training on two threads, and the bytes do not depend on how many run.


rule train:
    input:
        jets=jets("train"),
        observables=observables("train"),
        validation_jets=jets("validation"),
        validation_observables=observables("validation"),
    output:
        model=results(f"models/{RUN}/model.json"),
        weights=results(f"models/{RUN}/weights.safetensors"),
        history=results(f"models/{RUN}/history.csv"),
    log:
        results(f"logs/train/{RUN}.log"),
    benchmark:
        results(f"benchmarks/train/{RUN}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=4000,
        runtime="24h",
    params:
        code=code("train"),
        settings=fit_flags,
        checkpoint=results(f".checkpoints/train/{RUN}"),
        directory=subpath(output.model, parent=True),
    shell:
        "python -m glassjet train --tagger {wildcards.tagger} --features {wildcards.features} "
        "--task {wildcards.task} --jets {input.jets} --observables {input.observables} "
        "--validation-jets {input.validation_jets} "
        "--validation-observables {input.validation_observables} "
        "--seed {wildcards.seed} {params.settings} --threads {threads} --checkpoint {params.checkpoint} "
        "--out {params.directory} > {log} 2>&1"
