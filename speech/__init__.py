"""Ears and mouth: codecs, endpointing, recognisers, prompts. Imports nothing of ours."""
