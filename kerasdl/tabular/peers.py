"""Other ways to answer the same rows: the mean, trees, LightGBM."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kerasdl._checks import check_one_of
from kerasdl._optional import require

from .columns import Category, Columns
from .data import CATEGORIES, NUMBERS, TableData
from .embedded import embedded_codes
from .report import answer_scores

EMBEDDED = " with embeddings"
PEERS = (
    "mean",
    "HistGradientBoosting",
    "LightGBM",
    f"HistGradientBoosting{EMBEDDED}",
    f"LightGBM{EMBEDDED}",
)

_FEW_ROWS = 20_000


def installed_peers() -> list[str]:
    """Those of `PEERS` for which nothing is missing here."""
    has_lightgbm = find_spec("lightgbm") is not None
    return [name for name in PEERS if has_lightgbm or "LightGBM" not in name]


def peer_scores(
    data: TableData,
    names: Sequence[str] = PEERS[:2],
    model: keras.Model | None = None,
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Measures of other ways, trained and asked on the rows of `data`.

    Trees take the codes and numbers that a network takes, and learn the target on its
    scale. "mean" answers with the mean of the training rows on that scale, or with the
    shares of the classes. Trees "with embeddings" take those of a network in the place
    of the codes, as of `embed_features`.

    Args:
        data: the table.
        names: of `PEERS`; "LightGBM" needs the extra `bench`.
        model: trained on `data`, whose embeddings are taken where a name asks for them.
        seed: of the trees.

    Returns:
        A row for each, with the measures of `report.scores`.

    Raises:
        ImportError: LightGBM is asked for and not installed.
        ValueError: a name is none of `PEERS`, or asks for embeddings without a `model`
            that has them.
    """
    valid = data.rows("valid")
    rows = {
        name: answer_scores(
            data.target, valid, peer_answers(data, name, model, seed=seed)
        )
        for name in names
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("way")


def peer_answers(
    data: TableData, name: str, model: keras.Model | None = None, *, seed: int = 0
) -> np.ndarray:
    """Answers of one way to the validation rows, in the target's own unit.

    Args:
        data: the table.
        name: of `PEERS`.
        model: as by `peer_scores`.
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
    way = name.removesuffix(EMBEDDED)
    if way != name:
        if model is None:
            raise ValueError(
                f"`model` must be a network for {name!r}. Received: model=None"
            )
        train, valid = (_embedded(model, data.columns, part) for part in (train, valid))
    kind = "Regressor" if is_regression else "Classifier"
    categories = data.columns.categories if way == name else ()
    trees, options = _trees(way, kind, categories, seed)
    # On few rows threads wait for one another longer than they work.
    with threadpool_limits(1 if len(answers) < _FEW_ROWS else None, "openmp"):
        trees.fit(_columns(train), answers, **options)
        if not is_regression:
            return trees.predict_proba(_columns(valid))
        return data.target.decode(trees.predict(_columns(valid))[:, None])


def _embedded(
    model: keras.Model, columns: Columns, inputs: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    tables = embedded_codes(model, columns, inputs.get(CATEGORIES, np.zeros((0, 0))))
    return inputs | {CATEGORIES: np.concatenate(tables, axis=1)}


def _trees(
    way: str, kind: str, categories: Sequence[Category], seed: int
) -> tuple[Any, dict[str, Any]]:
    """A model of trees, and what its `fit` takes beside inputs and answers."""
    if way == "LightGBM":
        lightgbm = require("lightgbm", "bench")
        # As the network's peer was measured on the contest's rows.
        model = getattr(lightgbm, f"LGBM{kind}")(
            num_leaves=255, n_estimators=500, random_state=seed, verbose=-1
        )
        return model, {"categorical_feature": [*range(len(categories))]}
    from sklearn import ensemble

    # It takes no more categories than that; of more the codes are numbers.
    few = [p for p, column in enumerate(categories) if column.num_codes <= 255]
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(
        categorical_features=few or None,
        max_iter=300,
        early_stopping=False,
        random_state=seed,
    )
    return model, {}


def _columns(inputs: dict[str, np.ndarray]) -> np.ndarray:
    parts = [inputs[name] for name in (CATEGORIES, NUMBERS) if name in inputs]
    return np.concatenate(parts, axis=1).astype("float32", copy=False)
