"""A line of its own: Asterisk carries the calls, by a SIP trunk or an analog gateway (docs/asterisk.md)."""
