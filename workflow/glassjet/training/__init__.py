"""Fitting, seeds, checkpoints and scores."""
