"""One house style; functions that take tables and return matplotlib figures."""
