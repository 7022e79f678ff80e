"""Recognisers behind speech.recogniser's protocols. Each module imports its engine only when it is made."""
