"""glassjet: what jet taggers at the LHC have learnt, and the proof of it.

The rooms follow the way of the data, and a room imports only rooms above it:
jets, observables, taggers, training, attribution, ranking, figures; the command line (cli) uses them all.
"""

__version__ = "0.1.0"
