"""Web pages for staff."""
