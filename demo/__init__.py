"""The demo neighbourhood: 24 invented elders, a scenario with expectations, a live table."""
