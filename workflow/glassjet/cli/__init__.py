"""The command line: one verb per stage of the study, one module per verb.

A verb's module has a docstring that teaches, `EXAMPLE` (a command that works), `add_arguments(parser)` and `run(args)`.
Modules are imported only when their verb is called, so that `glassjet --help` is instant and a machine without
Pythia can train.
"""
