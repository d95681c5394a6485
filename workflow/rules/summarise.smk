# Every seed's numbers in one table.


rule summarise:
    input:
        scores=all_scores(),
        attributions=all_attributions(),
    output:
        summary=report(
            results("summary.csv"), caption="../report/summary.rst", category="Tables", labels={"table": "summary"}
        ),
        conservation=report(
            results("conservation.csv"),
            caption="../report/conservation.rst",
            category="Tables",
            labels={"table": "conservation"},
        ),
    log:
        results("logs/summarise.log"),
    benchmark:
        results("benchmarks/summarise.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        code=code("summarise"),
        conservation=[f"{path}/conservation.csv" for path in all_attributions()],
    shell:
        "python -m glassjet summarise --scores {input.scores} --conservation {params.conservation} "
        "--out-summary {output.summary} --out-conservation {output.conservation} > {log} 2>&1"
