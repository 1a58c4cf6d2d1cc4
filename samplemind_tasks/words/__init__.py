"""How a text query is understood, and how a whole library is ranked against it. No model, no store."""
