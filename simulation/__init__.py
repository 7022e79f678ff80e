"""The line in virtual time over an invented city: its own rules, other people's habits (docs/simulation.md)."""
