"""Repeatable measurements: `make bench` (latency, calls, talking) and `make eval` (bench.evaluation)."""
