"""What a jet is (the jet store), and where jets come from: Pythia 8 and published data sets."""
