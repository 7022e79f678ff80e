"""How well the installed engines understand, and what they cost: `make eval` (docs/evaluation.md)."""
