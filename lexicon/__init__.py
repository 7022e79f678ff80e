"""How elders answer, as data: what they say, what it means, how it sounds."""
