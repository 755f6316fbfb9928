"""How far a photo is from the training photos, by what the network sees in it."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import keras
import numpy as np
from sklearn.cluster import KMeans

from kerasdl._parallel import map_ahead
from kerasdl.data import ImageData, ImageError

_CENTRES = 8
_MOST = 4096  # features
_PHOTOS = 256  # of the training split, and of the one held out
_LEAST = 16  # of each, that tell something
_BATCH = 32
_SCALING = (
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.Normalization,
    keras.layers.Rescaling,
)
_SHARE = 0.99  # of the photos held out that count as like the training photos


@dataclass(frozen=True, eq=False)
class Likeness:
    """Where the features of the training photos lie, and a distance rarely passed.

    Features are what the last dense layer takes. The distance of a photo is one minus
    the cosine between its features and the nearest of eight centres (k-means).

    Attributes:
        centres: `(8, features)`, each of length 1, float16.
        limit: 99 of 100 photos that were held out are nearer.
    """

    centres: np.ndarray
    limit: float

    @classmethod
    def measure(cls, model: keras.Model, data: ImageData) -> Self | None:
        """Look at 256 photos of the training split, and at as many held out.

        Without a validation split the limit is of further training photos.

        Args:
            model: as it is saved.
            data: its photos.

        Returns:
            None for a model without a last dense layer, or too few photos to tell.
        """
        both = with_features(model)
        if both is None:
            return None
        split = "valid" if "valid" in data.splits else "train"
        own, held = _features(both, data, "train", 0), _features(both, data, split, 1)
        if min(len(own), len(held)) < _LEAST:
            return None
        clusters = KMeans(_CENTRES, n_init=1, random_state=0).fit(unit(own))
        found = cls(unit(clusters.cluster_centers_).astype("float16"), np.inf)
        return cls(found.centres, float(np.quantile(found.distances(held), _SHARE)))

    def distances(self, features: np.ndarray) -> np.ndarray:
        """The distance of each of `features`, `(n, features)`, in [0, 2]."""
        cosines = unit(features) @ self.centres.astype("float32").T
        return 1 - cosines.max(axis=1)

    def are_unlike(self, features: np.ndarray) -> np.ndarray:
        """Whether photos of these features are unlike the training photos, `(n,)`."""
        return self.distances(features) > self.limit

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads, for a manifest."""
        text = b64encode(self.centres.astype("<f2").tobytes()).decode()
        return {"limit": self.limit, "count": len(self.centres), "centres": text}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave.

        Raises:
            ValueError: it is something else.
        """
        try:
            flat = np.frombuffer(b64decode(found["centres"], validate=True), "<f2")
            return cls(flat.reshape(found["count"], -1), float(found["limit"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                "`likeness` of a manifest must be as a run wrote it. Received: "
                f"{found!r:.100}. Remove it: answers are then not compared with the "
                "training photos."
            ) from error


def with_features(model: keras.Model) -> keras.Model | None:
    """`model` with what its last dense layer takes as a first output, before its own.

    Returns:
        None where no layer of its own is dense, or that takes more than 4096 numbers.
    """
    taken = _taken(model)
    if not isinstance(taken, keras.KerasTensor) or taken.ndim != 2:
        return None
    if taken.shape[-1] is None or taken.shape[-1] > _MOST:
        return None
    return keras.Model(model.inputs, [taken, model.outputs[0]])


def features_scale(model: keras.Model) -> tuple[np.ndarray, np.ndarray] | None:
    """How the layers right before the last dense one scale each feature it takes.

    A converter folds them into the dense layer: what that takes is then what they took.

    Returns:
        Scale and offset, each `(features,)`; None where no such layer stands there.
    """
    taken = _taken(model)
    from_layer = {id(getattr(layer, "output", None)): layer for layer in model.layers}
    tensor = taken
    while (layer := from_layer.get(id(tensor))) and isinstance(layer, _SCALING):
        tensor = layer.input
    if tensor is taken:
        return None
    two = np.stack([np.zeros(taken.shape[1:]), np.ones(taken.shape[1:])])
    offset, at_one = keras.Model(tensor, taken).predict_on_batch(two)
    return at_one - offset, offset


def unit(features: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32."""
    features = np.asarray(features, "float32")
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _taken(model: keras.Model) -> Any:
    """What the last dense layer takes, if there is one that takes one tensor."""
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return getattr(dense[-1], "input", None) if dense else None


def _features(both: keras.Model, data: ImageData, split: str, part: int) -> np.ndarray:
    """Features of every other photo of those spread over `split`, undamaged ones."""
    count = len(data.files(split))
    rows = np.linspace(0, count - 1, min(count, 2 * _PHOTOS)).astype(int)[part::2]

    def read(row: int) -> np.ndarray | None:
        try:
            return data.read(split, row)
        except ImageError:
            return None

    photos = (photo for photo in map_ahead(read, rows) if photo is not None)
    found = [np.empty((0, both.output_shape[0][-1]), "float32")]
    while batch := list(islice(photos, _BATCH)):
        found.append(both.predict_on_batch(np.stack(batch).astype("float32"))[0])
    return np.concatenate(found)
