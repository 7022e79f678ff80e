"""The care: people, due check-ins, tries, the ladder, cases. Never imports ivr; declares the ports it needs."""
