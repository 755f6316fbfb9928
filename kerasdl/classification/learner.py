"""The Learner of pictures and classes: fast.ai's three lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import keras
import numpy as np

from kerasdl import models, train
from kerasdl._checks import check_positive_int, check_writable
from kerasdl._seeds import resolve_seed
from kerasdl.artefacts import save_inference_model
from kerasdl.data import Augment, ImageData, check_image_data
from kerasdl.learner import Learner as NeutralLearner
from kerasdl.models.picture_shape import picture_shape
from kerasdl.train.given_callbacks import Callbacks

from .compile_classifier import compile_classifier
from .files import save_tflite
from .gallery import gallery, headline, save_gallery
from .precompute import check_callbacks_above, precompute
from .predict_split import SplitPredictions, predict_split
from .predictor import Predictions, Predictor
from .report import ClassificationReport
from .report_page import save_report
from .tta import tta

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    import kerasdl

Photos = str | Path | Sequence[str | Path] | np.ndarray
Optimizer = str | keras.optimizers.Optimizer


class Learner(NeutralLearner):
    """A network and its photos, trained by fast.ai's practice.

    Public functions do the work, and can do it without a Learner.

    Args:
        model: takes pixels in [0, 255]; compiled, or not for `optimizer` and the loss
            that the labels ask for.
        data: the photos.
        precompute: see the property.
        folder: keeps the state of each `fit`, so that a killed script resumes; None
            keeps none.
        cache_dir: of precomputed activations, as in `train.cached_activations`.
        cache_key: for layers of your own in them, as in `train.cached_activations`.
        optimizer: of a model that is not compiled, as `compile` takes it; None is
            `train.default_optimizer`, SGD with momentum.

    Attributes:
        model, data: as they stand; `model` is a plain `keras.Model`.
        history: a row for each epoch so far.

    Raises:
        ValueError: `data` is no ImageData, or the model does not fit it.

    Reference:
        fast.ai, lessons 1-3 (`ConvLearner`)
    """

    data: ImageData

    def __init__(
        self,
        model: keras.Model,
        data: ImageData,
        precompute: bool = False,
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        cache_key: str | None = None,
        optimizer: Optimizer | None = None,
    ) -> None:
        check_image_data(data)
        if isinstance(model, str):
            raise ValueError(
                f"`model` must be a network. Received: model={model!r}. "
                "`Learner.pretrained` takes the name of one."
            )
        shape = picture_shape(model)
        if shape[1:3] not in (data.image_size, (None, None)):
            raise ValueError(
                "`model` must take images of the data's size. Received: "
                f"input_shape={shape}, image_size={data.image_size}"
            )
        compile_classifier(model, data, optimizer)
        super().__init__(model, data, folder)
        self.cache_dir, self.cache_key = cache_dir, cache_key
        self.precompute = precompute

    @classmethod
    def pretrained(
        cls,
        backbone: str,
        data: ImageData,
        precompute: bool = False,
        weights: str | Path | None = "imagenet",
        head: str = "pooled",
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        optimizer: Optimizer | None = None,
        seed: int | None = None,
    ) -> Self:
        """Put a new head on the frozen trunk `backbone`.

        `weights` as in `models.build_trunk`, `head` as in `models.classifier`; `seed`
        is of the head, None draws one and prints it.
        """
        seed = resolve_seed(seed)
        check_image_data(data)
        trunk = models.build_trunk(backbone, weights, data.image_size, seed=seed)
        model = models.classifier(
            trunk,
            len(data.class_names),
            head,
            multi_label=data.label_mode == "multi_label",
            seed=seed,
        )
        train.freeze(model)
        return cls(model, data, precompute, folder, cache_dir, optimizer=optimizer)

    @classmethod
    def from_model(
        cls,
        model: keras.Model,
        data: ImageData,
        precompute: bool = False,
        folder: str | Path | None = None,
        cache_dir: str | Path | None = None,
        *,
        cache_key: str | None = None,
        optimizer: Optimizer | None = None,
    ) -> Self:
        """Wrap any model."""
        options = {"cache_key": cache_key, "optimizer": optimizer}
        return cls(model, data, precompute, folder, cache_dir, **options)

    @property
    def precompute(self) -> bool:
        """Whether the frozen layers run once, their activations being cached on disk.

        Meanwhile augmentation and mixing have no effect, and callbacks see what is
        above the cut. Set it to False before `unfreeze`.
        """
        return self._precompute

    @precompute.setter
    def precompute(self, value: bool) -> None:
        self._precompute = value
        self._above = None
        if value and (self.data.augment not in (None, "none") or self.data.mix):
            print("precompute=True: augmentation has no effect until it is False")

    def freeze_to(self, first: str | int) -> int:
        """Freeze the layers, or layer groups, before `first`; see `train.freeze_to`."""
        self._check_not_precomputed("freeze_to")
        return super().freeze_to(first)

    def bn_freeze(self, frozen: bool = True) -> int:
        """Hold BatchNorm statistics still; see `train.bn_freeze`."""
        self._check_not_precomputed("bn_freeze")
        return super().bn_freeze(frozen)

    def set_data(self, data: ImageData) -> None:
        """Go on with other photos, such as larger ones; see `models.with_input_size`.

        The weights stay; another image size begins with a fresh optimizer.
        """
        check_image_data(data)
        if data.class_names != self.data.class_names:
            raise ValueError(
                "`data` must have the classes of the data so far. Received: "
                f"class_names={data.class_names!r}"
            )
        if self.model.input_shape[1:3] not in (data.image_size, (None, None)):
            other = models.with_input_size(self.model, data.image_size)
            train.compile_like(self.model, other)
            self.model = train.distributed(other)
        super().set_data(data)
        self.precompute = self._precompute  # anew, of these photos

    def load(self, path: str | Path) -> None:
        """Read weights that `save` wrote; see `models.restore_weights`."""
        super().load(path)
        self._above = None  # the activations were those of other weights

    @overload
    def predict(
        self, split: Literal["train", "valid", "test"] = "valid"
    ) -> SplitPredictions: ...

    @overload
    def predict(self, split: Photos) -> Predictions: ...

    def predict(self, split: Photos = "valid") -> SplitPredictions | Predictions:
        """Predict a split in the order of its files, or photos of your own.

        Args:
            split: "train", "valid" or "test", as in `predict.predict_split`; or photos
                as `Predictor.predict` takes them, such as the path of one.

        Example:
            ```
            learn.predict("photo.jpg").labels
            ```
        """
        if isinstance(split, str) and split in ("train", "valid", "test"):
            return predict_split(self.model, self.data, split)
        return self.predictor().predict(split)

    def predictor(self) -> Predictor:
        """The network as it is, its classes and the geometry of its photos.

        With several labels a photo, an answer is a probability above 0.5.
        """
        return Predictor(
            self.model,
            self.data.class_names,
            self.data.image_size,
            self.data.resize,
            0.5 if self.data.label_mode == "multi_label" else None,
        )

    def show_results(
        self, split: str = "valid", rows: int = 3, path: str | Path | None = None
    ) -> "Figure":
        """Draw photos of a split, with answer and truth, those of mistakes first.

        Args:
            split: one with labels.
            rows: of four photos, those whose truth has the lowest probability.
            path: as in `plots.save_gallery`.
        """
        check_positive_int("rows", rows)
        report = ClassificationReport.from_model(self.model, self.data, split)
        hardest = gallery(report, "hardest", 4 * rows)
        title = headline(report, 4 * rows)
        return save_gallery(report, hardest, path, headline=title)

    def tta(
        self,
        n_aug: int = 4,
        augment: str | Augment | None = None,
        split: str = "valid",
        beta: float | None = None,
        *,
        seed: int | None = None,
    ) -> SplitPredictions:
        """Predict with test-time augmentation; see `predict.tta`."""
        return tta(self.model, self.data, n_aug, augment, split, beta=beta, seed=seed)

    def report(
        self,
        path: str | Path | None = None,
        split: str = "valid",
        title: str = "Classification report",
        settings: Mapping[str, Any] | None = None,
    ) -> ClassificationReport:
        """Look at the answers, and write the page `path`; see `interpret`.

        None writes none: `learn.report().show()` shows them in a notebook.
        """
        if path is not None:
            check_writable("path", path)  # before the photos are predicted
        report = ClassificationReport.from_model(self.model, self.data, split)
        if path is not None:
            save_report(
                report,
                path,
                title,
                settings,
                self.history,
                model=self.model,
                seed=self.data.seed,
            )
        return report

    def export(self, path: str | Path) -> None:
        """Write `path`, a `.keras` or `.tflite` file that needs no kerasdl."""
        writers = {".keras": save_inference_model, ".tflite": save_tflite}
        suffix = Path(path).suffix
        if suffix not in writers:
            raise ValueError(
                f"`path` must end in .keras or .tflite. Received: path={str(path)!r}"
            )
        writers[suffix](self.model, path)

    def serve(
        self, port: int = 8501, host: str = "127.0.0.1", name: str = "model"
    ) -> "kerasdl.serving.Server":
        """Answer photos at an address, as the network is now; see `serving.serve`.

        Example:
            ```
            server = learn.serve(port=0)
            server.stop()
            ```
        """
        import kerasdl  # serving builds on this room: it is reached by its public door

        return kerasdl.serving.serve(self.predictor(), name, host, port)

    def _trained(
        self, callbacks: Callbacks = (), verbose: int = 1
    ) -> tuple[keras.Model, Any]:
        """The model that trains, and its data; with `precompute`, above the cut."""
        if not self.precompute:
            return super()._trained(callbacks, verbose)
        check_callbacks_above(callbacks)
        optimizer = self.model.optimizer
        if self._above is None or self._above[2] is not optimizer:  # compiled anew
            above, data = precompute(
                self.model,
                self.data,
                cache_dir=self.cache_dir,
                cache_key=self.cache_key,
                splits=("train", "valid"),
                verbose=verbose,
            )
            train.compile_like(self.model, above)
            self._above = above, data, optimizer
        return self._above[:2]

    def _check_not_precomputed(self, method: str) -> None:
        if self.precompute:
            raise ValueError(
                f"`{method}` needs `precompute=False`, as cached activations do not "
                "train. Received: precompute=True. Set `learner.precompute = False`."
            )
