"""Text: sentiment, translation, language models."""
