"""Other ways to answer the same rows: the mean, trees, LightGBM."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of
from kerasdl._optional import require

from .data import CATEGORIES, NUMBERS, TableData
from .report import answer_scores

PEERS = ("mean", "HistGradientBoosting", "LightGBM")


def peer_scores(
    data: TableData, names: Sequence[str] = PEERS[:2], *, seed: int = 0
) -> pd.DataFrame:
    """Measures of other ways, trained and asked on the rows of `data`.

    Trees take the codes and numbers that a network takes, and learn the target on its
    scale. "mean" answers with the mean of the training rows on that scale, or with the
    shares of the classes.

    Args:
        data: the table.
        names: of `PEERS`; "LightGBM" needs the extra `bench`.
        seed: of the trees.

    Returns:
        A row for each, with the measures of `report.scores`.

    Raises:
        ImportError: LightGBM is asked for and not installed.
        ValueError: a name is none of `PEERS`.
    """
    valid = data.rows("valid")
    rows = {
        name: answer_scores(data.target, valid, peer_answers(data, name, seed=seed))
        for name in names
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("way")


def peer_answers(data: TableData, name: str, *, seed: int = 0) -> np.ndarray:
    """Answers of one way to the validation rows, in the target's own unit.

    Args:
        data: the table.
        name: of `PEERS`.
        seed: of the trees.

    Raises:
        ImportError: as by `peer_scores`.
        ValueError: as by `peer_scores`.
    """
    check_one_of("name", name, PEERS)
    is_regression = data.target.is_regression
    train, answers = data.arrays("train")
    valid, _ = data.arrays("valid")
    answers = answers.ravel()
    count = len(next(iter(valid.values())))
    if name == "mean":
        if is_regression:
            return data.target.decode(np.full((count, 1), answers.mean()))
        shares = np.bincount(answers, minlength=data.target.num_outputs)
        return np.tile(shares / shares.sum(), (count, 1))
    model, options = _trees(name, data, seed)
    model.fit(_columns(train), answers, **options)
    if not is_regression:
        return model.predict_proba(_columns(valid))
    return data.target.decode(model.predict(_columns(valid))[:, None])


def _trees(name: str, data: TableData, seed: int) -> tuple[Any, dict[str, Any]]:
    kind = "Regressor" if data.target.is_regression else "Classifier"
    places = range(len(data.columns.categories))
    if name == "LightGBM":
        lightgbm = require("lightgbm", "bench")
        # As the network's peer was measured on the contest's rows.
        model = getattr(lightgbm, f"LGBM{kind}")(
            num_leaves=255, n_estimators=500, random_state=seed, verbose=-1
        )
        return model, {"categorical_feature": list(places)}
    from sklearn import ensemble

    # It takes no more categories than that; of more the codes are numbers.
    few = [p for p in places if data.columns.categories[p].num_codes <= 255]
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(
        categorical_features=few or None,
        max_iter=300,
        early_stopping=False,
        random_state=seed,
    )
    return model, {}


def _columns(inputs: dict[str, np.ndarray]) -> np.ndarray:
    parts = [inputs[name] for name in (CATEGORIES, NUMBERS) if name in inputs]
    return np.concatenate(parts, axis=1).astype("float32")
