"""The flows that come with the program. Data only: one YAML file per flow (docs/flows.md explains them)."""
