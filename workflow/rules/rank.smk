# From the attributions of all seeds to ranked features.


rule rank:
    input:
        attributions_of_seeds,
    output:
        ranking=report(
            results("rankings/{task}/{tagger}/{features}/ranking.csv"),
            caption="../report/ranking.rst",
            category="Tables",
            labels={"table": "ranking of {tagger}/{features}"},
        ),
        agreement=results("rankings/{task}/{tagger}/{features}/agreement.csv"),
    log:
        results("logs/rank/{task}/{tagger}/{features}.log"),
    benchmark:
        results("benchmarks/rank/{task}/{tagger}/{features}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=1000,
        runtime="1h",
    params:
        code=code("rank"),
        settings=section_flags("rank"),
    shell:
        "python -m glassjet rank --attributions {input} {params.settings} --out-ranking {output.ranking} "
        "--out-agreement {output.agreement} > {log} 2>&1"
