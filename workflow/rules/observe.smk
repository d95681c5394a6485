# From jets to expert variables.


rule observe:
    input:
        results("jets/{sample}/{split}.h5"),
    output:
        results("observables/{sample}/{split}.parquet"),
    log:
        results("logs/observe/{sample}/{split}.log"),
    benchmark:
        results("benchmarks/observe/{sample}/{split}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, threads: 1000 + 1000 * threads,
        runtime="4h",
    params:
        code=code("observe"),
        settings=observe_flags,
    shell:
        "python -m glassjet observe {input} {params.settings} --processes {threads} " "--out {output} > {log} 2>&1"
