"""Expert variables: a registry with name, formula, units and source, and what computes them."""
