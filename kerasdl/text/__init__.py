"""Text: sentiment, translation, language models."""

from . import attention, translation
from .translation import PairData, Translator, gru_translator, transformer_translator
