"""The telephone: carriers, webhooks, media streams, call records, the audio pump. Never imports checkins."""
