"""The neighbourhood by telephone: complaints that come back with an answer."""
