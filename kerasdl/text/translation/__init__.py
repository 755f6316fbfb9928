"""Translation: pairs of sentences, networks with attention, search and scores."""

from .bucket_plan import BucketPlan
from .dates import draw_dates
from .export_run import FORMATS, export_run
from .lesson import lesson_pairs, lesson_text
from .loss import NextPieceLoss
from .pair_data import PairData
from .pairs import read_pairs, with_splits
from .pictures import save_attention
from .recurrent import gru_translator
from .report import TranslationReport
from .run_files import write_run_files
from .scores import sentence_chrf, translation_scores
from .search import make_search
from .steps import RecurrentSteps, TransformerSteps, steps_of
from .subwords import Subwords
from .teacher import OwnPieces, TeacherForcing, with_own_pieces
from .transformer import MAX_LENGTH, transformer_translator
from .translator import Translator

__all__ = [
    "FORMATS",
    "MAX_LENGTH",
    "BucketPlan",
    "NextPieceLoss",
    "OwnPieces",
    "PairData",
    "RecurrentSteps",
    "Subwords",
    "TeacherForcing",
    "TransformerSteps",
    "TranslationReport",
    "Translator",
    "draw_dates",
    "export_run",
    "gru_translator",
    "lesson_pairs",
    "lesson_text",
    "make_search",
    "read_pairs",
    "save_attention",
    "sentence_chrf",
    "steps_of",
    "transformer_translator",
    "translation_scores",
    "with_own_pieces",
    "with_splits",
    "write_run_files",
]
