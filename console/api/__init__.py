"""The JSON API: the acts of the pages, for other programs of a street office (docs/api.md)."""
