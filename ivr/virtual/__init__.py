"""The virtual carrier: a real HTTP and WebSocket peer that speaks Twilio's protocols, with virtual elders behind it."""
