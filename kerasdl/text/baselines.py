"""What a network must beat: TF-IDF and logistic regression, by scikit-learn."""

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kerasdl._checks import check_one_of

from .answers import scores
from .cutting import cut_words
from .data import TextData

BASELINES = ("TF-IDF characters", "TF-IDF words")
_STRENGTHS = (1.0, 4.0, 16.0, 64.0)


def tfidf_answers(
    data: TextData, split: str = "valid", unit: str = "characters"
) -> np.ndarray:
    """Probabilities of TF-IDF and logistic regression, `(n, classes)`.

    Of C in 1, 4, 16 and 64 that is taken which is best on the validation rows: where
    those are what is answered, it is flattered.

    Args:
        data: whose training rows it learns from.
        split: "valid" or "test".
        unit: "characters", runs of 1 to 3; or "words" as jieba cuts them, 1 or 2.
    """
    check_one_of("unit", unit, ("characters", "words"))
    parts = {name: _texts(data, name, unit) for name in {"train", "valid", split}}
    if unit == "characters":
        find = TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    else:
        find = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    train = find.fit_transform(parts["train"])
    chosen_on = "valid" if parts["valid"] else split
    held, labels = find.transform(parts[chosen_on]), data.labels(chosen_on)
    models = [
        LogisticRegression(C=strength, max_iter=1000).fit(train, data.labels("train"))
        for strength in _STRENGTHS
    ]
    best = max(models, key=lambda model: model.score(held, labels))
    return best.predict_proba(find.transform(parts[split]))


def baseline_scores(
    data: TextData, split: str = "valid", names: Sequence[str] = BASELINES
) -> pd.DataFrame:
    """Measures of baselines on a split, a row for each, with its minutes.

    Args:
        data: texts.
        split: "valid" or "test".
        names: of `BASELINES`.
    """
    rows = {}
    for name in names:
        check_one_of("names", name, BASELINES)
        began = perf_counter()
        found = tfidf_answers(data, split, name.removeprefix("TF-IDF "))
        minutes = (perf_counter() - began) / 60
        rows[name] = {**scores(data.labels(split), found), "minutes": minutes}
    return pd.DataFrame.from_dict(rows, orient="index")


def _texts(data: TextData, split: str, unit: str) -> list[str]:
    if unit == "words" and data.tokenizer.unit == "words":
        return data.rows(split)["prepared"].tolist()
    texts = data.rows(split)["text"].tolist()
    return cut_words(texts) if unit == "words" else texts
