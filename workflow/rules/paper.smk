# From tables, figures and the manuscript to the paper.


rule paper:
    input:
        paper_inputs,
        main=checkout("paper/main.typ"),
        manuscript=manuscript(),
    output:
        report(results("paper.pdf"), caption="../report/paper.rst", category="Paper", labels={"paper": "paper"}),
    log:
        results("logs/paper.log"),
    benchmark:
        results("benchmarks/paper.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        code=code("paper"),
        settings=lambda wildcards: section_flags("paper"),
        source=subpath(input.main, parent=True),
        results=subpath(output[0], parent=True),
    shell:
        "python -m glassjet paper --source {params.source} --results {params.results} {params.settings} "
        "--out {output} > {log} 2>&1"
