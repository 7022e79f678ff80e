"""Repeatable measurements: `make bench` (python -m bench latency | calls | talking) and `make eval` (bench.evaluation)."""
