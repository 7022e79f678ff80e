"""Repeatable measurements: `make bench`, or `python -m bench latency | calls | talking | recognisers`."""
