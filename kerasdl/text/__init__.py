"""Text: sentiment, translation, language models."""

from . import models, reading, recurrent, splits
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
