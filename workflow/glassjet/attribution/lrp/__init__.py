"""Layer-wise relevance propagation: rules, the engine that applies them, and the ledger that accounts for them."""
