"""Ways out of this machine for alarms: mail, a signed webhook, a heartbeat. Each knows one protocol and no alarm."""
