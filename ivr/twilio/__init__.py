"""A Twilio-compatible carrier, seen from our side: REST, signatures, TwiML documents, the plain-verbs fallback."""
