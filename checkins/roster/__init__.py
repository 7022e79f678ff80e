"""The roster: who may be rung for an elder, and who is on duty, at a moment: values, pure functions, tables."""
