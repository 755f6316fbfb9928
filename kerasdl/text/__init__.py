"""Text: sentiment, translation, language models."""

from . import attention, columns, models, reading, recurrent, splits, translation
from .answers import answer_tokens, scores
from .baselines import BASELINES, baseline_scores, tfidf_answers
from .blend import blend
from .cleaning import CLEANING, clean
from .cutting import cut_words
from .data import TextData
from .export_run import FORMATS, export_run
from .files import save_inference_model, save_onnx, save_saved_model, save_tflite
from .learner import Learner
from .marks import token_marks
from .masked import MaskedTexts, masked_model, pretrain
from .nbsvm import nbsvm
from .next_token import char_lstm, fit_next_tokens, perplexity, write_on
from .ngrams import NGramModel
from .predictor import Predictor
from .report import save_report
from .run_files import write_run_files
from .samples import write_reviews
from .statistics import save_lengths, text_statistics
from .strings import network_of, with_strings
from .tokenizer import Tokenizer, read_tokenizer
from .translation import PairData, Translator, gru_translator, transformer_translator

__all__ = [
    "BASELINES",
    "CLEANING",
    "FORMATS",
    "Learner",
    "MaskedTexts",
    "NGramModel",
    "PairData",
    "Predictor",
    "TextData",
    "Tokenizer",
    "Translator",
    "answer_tokens",
    "attention",
    "baseline_scores",
    "blend",
    "char_lstm",
    "clean",
    "columns",
    "cut_words",
    "export_run",
    "fit_next_tokens",
    "gru_translator",
    "masked_model",
    "models",
    "nbsvm",
    "network_of",
    "perplexity",
    "pretrain",
    "read_tokenizer",
    "reading",
    "recurrent",
    "save_inference_model",
    "save_lengths",
    "save_onnx",
    "save_report",
    "save_saved_model",
    "save_tflite",
    "scores",
    "splits",
    "text_statistics",
    "tfidf_answers",
    "token_marks",
    "transformer_translator",
    "translation",
    "with_strings",
    "write_on",
    "write_reviews",
    "write_run_files",
]
