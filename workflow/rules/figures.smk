# From results to figures and tables, a notebook each. The executed notebook is no output, for Snakemake removes those of a
# failed job, and it is there to be read if a cell fails; and no log, for those of a failed job are printed.


rule figures:
    input:
        notebook_inputs,
        notebook=notebook,
    output:
        figures=report(
            directory(results("figures/{notebook}")),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="Figures",
            subcategory="{notebook}",
            labels={"figure": "{figure}"},
        ),
        tables=directory(results("tables/{notebook}")),
    log:
        results("logs/figures/{notebook}.log"),
    benchmark:
        results("benchmarks/figures/{notebook}.tsv")
    conda:
        "../../envs/glassjet.yaml"
    resources:
        mem_mb=2000,
        runtime="2h",
    params:
        code=notebook_code,
        settings=figures_flags,
        results=subpath(output.figures, ancestor=2),
        executed=results("notebooks/{notebook}.ipynb"),
    shell:
        "python -m glassjet figures {input.notebook} --results {params.results} {params.settings} "
        "--out-notebook {params.executed} --out-figures {output.figures} "
        "--out-tables {output.tables} > {log} 2>&1"
