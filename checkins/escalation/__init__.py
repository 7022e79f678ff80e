"""Finding a person by telephone, pure: the policy as data, and the search that follows it (docs/escalation.md)."""
