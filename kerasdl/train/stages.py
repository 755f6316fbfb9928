"""The Keras book's ways to a small photo classifier, and a short one after fast.ai.

Reference: Chollet, Deep Learning with Python, first edition, chapter 5 (5.2 from
scratch, 5.3 feature extraction and fine-tuning); fast.ai lessons 1-3 (activations
computed once, then the late layers under a cosine schedule).
"""

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl._checks import check_positive_int, make_writable_folder
from kerasdl.callbacks import BestWeights, StopOnBadLoss
from kerasdl.data import ImageData
from kerasdl.models import (
    backbone,
    build_trunk,
    classifier,
    convnet,
    copy_weights,
    pooled_head,
)

from ._stage import Stage, read_stage, write_stage
from .classification_loss import classification_loss
from .features import CachedActivations, cached_activations
from .freezing import count_trainable, freeze_to
from .linear_head import fit_linear_head
from .precompute import ActivationData
from .resumable_fit import resumable_fit
from .stage_names import check_stages
from .stage_scores import accuracy, clearly_lower, cross_entropy, logistic_baseline

_FORMAT = 2  # of a folder; a change refuses what older trainings left


class Stages:
    """Trainings over one `ImageData`, each kept in `folder` and continued after a kill.

    - `scratch`, `scratch_augmented`: the book's small convnet, without and with
      augmentation and Dropout.
    - `features`: the trunk runs once over every photo; a Flatten-Dense(256)-Dropout
      head trains on its cached activations.
    - `frozen`: such a head on the frozen trunk, end to end with augmentation.
    - `fine_tuned`: the model of `frozen` with its late layer group unfrozen.
    - `practice_head`: a linear head (`fit_linear_head`) on cached activations of the
      photos and of their mirror images.
    - `practice`: that model's late layer group too, from activations cached at the
      group's input, under a cosine schedule. It ends as it began where no epoch has a
      loss on the validation photos that is clearly lower (see `clearly_lower`). The
      rate of 1e-5 is low: at 1e-4, on 240 photos of three breeds of pets and on 200 of
      CIFAR-10, the loss on the test photos rose within an epoch.

    Args:
        data: the photos; its augmentation is that of the augmented stages.
        folder: keeps the state; `run` makes it.
        backbone_name: one of `BACKBONES`.
        weights: of the trunk, as in `build_trunk`.
        epochs: of each training that has them, which `practice_head` has not; None
            takes each one's own number.
        cache_dir: of the activations, as in `cached_activations`.
        seed: of initial weights, Dropout and order.

    Raises:
        ValueError: `data` has a split without labels, or several labels a photo,
            `epochs` is below 1; in `run`, `folder` cannot be written to, or what it
            holds is damaged or was made with other arguments.
    """

    def __init__(
        self,
        data: ImageData,
        folder: str | Path,
        backbone_name: str = "efficientnet_lite0",
        weights: str | Path | None = "imagenet",
        epochs: int | None = None,
        cache_dir: str | Path | None = None,
        *,
        seed: int,
    ) -> None:
        if epochs is not None:
            check_positive_int("epochs", epochs)
        _check_labels(data)
        self.data = data
        self.folder = Path(folder)
        self.backbone = backbone(backbone_name)
        self.weights = weights
        self.epochs = epochs
        self.cache_dir = cache_dir
        self.seed = seed
        self._classes = len(data.class_names)
        self._activations = {"computed": 0, "reused": 0}
        self._choices: dict[str, Any] = {}

    def run(self, names: Sequence[str]) -> Iterator[Stage]:
        """Yield the stage of each of `names`, trained or read back.

        Raises:
            ValueError: an unknown name, or one whose forerunner is not before it
                (`fine_tuned` continues `frozen`, `practice` `practice_head`).
        """
        check_stages(names)
        make_writable_folder("folder", self.folder)
        for name in names:
            yield (
                self._load(name)
                if self._path(name, "json").exists()
                else self._run(name)
            )

    def baseline(self) -> dict[str, float]:
        """`logistic_baseline` on the features that `practice_head` trains on."""
        _, cached = self._practice_activations
        features = {split: views[0][1] for split, views in cached.items()}
        labels = {split: self.data.labels(split) for split in cached}
        return logistic_baseline(features, labels)

    def _run(self, name: str) -> Stage:
        print(f"\n{name}")
        began = time.monotonic()
        self._activations = {"computed": 0, "reused": 0}
        self._choices = {}
        model, history, trained, predictions = getattr(self, f"_{name}")()
        # Epochs that an earlier, killed process trained count as well.
        seconds = history["seconds"][: history.attrs["restored"]].sum()
        minutes = (time.monotonic() - began + seconds) / 60
        for split, rows in predictions.items():
            if len(rows) != len(self.data.files(split)):
                raise ValueError(
                    "Every file must have a prediction. Received: "
                    f"{len(rows)} for {len(self.data.files(split))} files of {split}. "
                    "Leave damaged files out with `exclude=`."
                )
        facts = {
            "history": history.to_dict("records"),
            "trained_parameters": trained,
            "minutes": round(minutes, 2),
            "activations": self._activations,
            "choices": self._choices,
        }
        write_stage(self.folder, name, model, predictions, facts, self._made_with())
        self._path(f"{name}-state", "npz").unlink(missing_ok=True)
        self._path(f"{name}-best", "weights.h5").unlink(missing_ok=True)
        return self._load(name)

    def _load(self, name: str) -> Stage:
        return read_stage(self.folder, name, self._made_with())

    def _made_with(self) -> dict[str, Any]:
        """What decides every training in the folder."""
        return {
            "format": _FORMAT,
            "backbone": self.backbone.name,
            "weights": None if self.weights is None else str(self.weights),
            "epochs": self.epochs,
            "seed": self.seed,
            "photos": self.data.facts(),
        }

    def _scratch(self, augment: bool = False) -> tuple:
        model = convnet(
            input_shape=(*self.data.image_size, 3),
            classes=self._classes,
            dropout=0.5 if augment else 0.0,
            seed=self.seed,
        )
        # 160 passes over 2000 photos in batches of 32 are the book's 10,000 steps.
        name, epochs = ("scratch_augmented", 160) if augment else ("scratch", 15)
        return self._fit_photos(name, model, epochs, 1e-3, augment)

    def _scratch_augmented(self) -> tuple:
        return self._scratch(augment=True)

    def _features(self) -> tuple:
        model = classifier(self._trunk(), self._classes, "flatten", seed=self.seed)
        top = model.get_layer("head_flatten").input
        cached = self._cache(keras.Model(model.input, top, name=model.name))
        top_cached = {split: c.arrays[:1] for split, c in cached.items()}
        return self._fit_activations("features", model, top, top_cached, 30, 1e-4)

    def _frozen(self) -> tuple:
        model = classifier(self._trunk(), self._classes, "flatten", seed=self.seed)
        freeze_to(model, "head_flatten")
        return self._fit_photos("frozen", model, 20, 5e-5)

    def _fine_tuned(self) -> tuple:
        frozen = self._load("frozen")
        model = frozen.load_model()
        freeze_to(model, self.backbone.late)
        # Views of its own: the head knows those of `frozen` by heart.
        seen = len(frozen.history)
        return self._fit_photos("fine_tuned", model, 20, 1e-5, first_epoch=seen)

    def _practice_head(self) -> tuple:
        trunk, cached = self._practice_activations
        pooled = {split: [pair[1] for pair in views] for split, views in cached.items()}
        began = time.monotonic()
        head = fit_linear_head(
            *(pooled["train"], self.data.labels("train"), self._classes),
            (pooled["valid"][0], self.data.labels("valid")),
            balanced=self.data.oversample,
            seed=self.seed,
        )
        seconds = round(time.monotonic() - began, 2)
        self._choices = {"l2": head.l2, "tried": head.tried.to_dict("records")}
        top = pooled_head(
            trunk.output, self._classes, dropout=0.0, l2=head.l2 / 2, seed=self.seed
        )
        model = keras.Model(trunk.input, top, name=trunk.name)
        freeze_to(model, "head_dropout")
        head.assign_to(model)
        upper = keras.Model(model.get_layer("head_avg_pool").output, model.output)
        outputs = {
            split: upper.predict(views[0], verbose=0) for split, views in pooled.items()
        }
        row = {"epoch": 1}
        for split, prefix in (("train", ""), ("valid", "val_")):
            labels = self.data.labels(split)
            losses = cross_entropy(outputs[split], labels)
            row[f"{prefix}accuracy"] = accuracy(outputs[split], labels)
            row[f"{prefix}loss"] = float(losses.mean())
        history = pd.DataFrame([row | {"seconds": seconds}])
        history.attrs["restored"] = 0
        del outputs["train"]
        return model, history, count_trainable(model), outputs

    def _practice(self) -> tuple:
        _, cached = self._practice_activations
        head = self._load("practice_head")
        model = head.load_model()
        freeze_to(model, self.backbone.late)
        model.get_layer("head_bn").trainable = False  # exact already
        cut = {split: [pair[0] for pair in views] for split, views in cached.items()}
        bottom = model.get_layer(self.backbone.late).input
        _, history, trained, predictions = self._fit_activations(
            *("practice", model, bottom, cut, 5, 1e-5)
        )
        before, after = (
            cross_entropy(outputs["valid"], self.data.labels("valid"))
            for outputs in (head.predictions, predictions)
        )
        self._choices = {"epoch": int(history["val_loss"].idxmin()) + 1}
        if not clearly_lower(after, before):
            copy_weights(head.load_model(), model)
            predictions, self._choices["epoch"] = head.predictions, 0
        return model, history, trained, predictions

    @cached_property
    def _practice_activations(self) -> tuple:
        """A trunk and, by split, views of (late group's input, pooled output)."""
        trunk = self._trunk()
        cut = trunk.get_layer(self.backbone.late).input
        pool = keras.layers.GlobalAveragePooling2D(name="head_avg_pool")
        both = keras.Model(trunk.input, [cut, pool(trunk.output)], name=trunk.name)
        views = {split: [c.arrays] for split, c in self._cache(both).items()}
        mirrored = self._cache(both, ["train"], flip=True)["train"]
        views["train"].append(mirrored.arrays)
        return trunk, views

    def _trunk(self) -> keras.Model:
        return build_trunk(
            self.backbone.name, self.weights, self.data.image_size, seed=self.seed
        )

    def _cache(
        self,
        model: keras.Model,
        splits: Sequence[str] | None = None,
        flip: bool = False,
    ) -> dict[str, CachedActivations]:
        """Activations of `model` by split."""
        cached = {}
        for split in splits or self.data.splits:
            cached[split] = cached_activations(
                model,
                self.data.pictures(split),
                self.data.resize,
                flip,
                cache_dir=self.cache_dir,
                max_pixels=self.data.max_pixels,
            )
            self._activations["computed"] += cached[split].computed
            self._activations["reused"] += cached[split].reused
        return cached

    def _fit_photos(
        self,
        name: str,
        model: keras.Model,
        epochs: int,
        learning_rate: float,
        augment: bool = True,
        first_epoch: int = 0,
    ) -> tuple:
        """Train `model` end to end on photos, as they look from `first_epoch` on."""
        data = self.data if augment else self.data.with_augment(None)
        steps = int(data.train.cardinality())
        self._compile(model, learning_rate, steps * (self.epochs or epochs))
        history = resumable_fit(
            model,
            data.train,
            self.epochs or epochs,
            self._path(f"{name}-state", "npz"),
            validation_data=data.valid,
            callbacks=[StopOnBadLoss(data)],
            start_epoch=lambda epoch: data.start_epoch(first_epoch + epoch),
            made_with=self._made_with(),
        )
        datasets = {"valid": data.valid, "test": data.test}
        predictions = {
            split: model.predict(datasets[split], verbose=0)
            for split in data.splits
            if split != "train"
        }
        return model, history, count_trainable(model), predictions

    def _fit_activations(
        self,
        name: str,
        model: keras.Model,
        cut: Any,
        views: dict[str, list[np.ndarray]],
        epochs: int,
        learning_rate: float,
    ) -> tuple:
        """Train what follows the tensor `cut` of `model` on its cached activations.

        The weights of the epoch with the lowest validation loss are kept.
        """
        best = BestWeights(self._path(f"{name}-best", "weights.h5"), "val_loss", "min")
        upper = keras.Model(cut, model.output, name=name)
        activations = ActivationData(self.data, views)
        steps = activations.stream.num_batches
        self._compile(upper, learning_rate, steps * (self.epochs or epochs))
        history = resumable_fit(
            upper,
            activations.train,
            self.epochs or epochs,
            self._path(f"{name}-state", "npz"),
            validation_data=activations.valid,
            callbacks=[StopOnBadLoss(activations), best],
            start_epoch=activations.start_epoch,
            made_with=self._made_with(),
        )
        upper.load_weights(best.path)
        predictions = {
            split: upper.predict(activations.dataset(split), verbose=0)
            for split in views
            if split != "train"
        }
        return model, history, count_trainable(upper), predictions

    def _compile(self, model: keras.Model, learning_rate: float, steps: int) -> None:
        """Adam under a cosine from `learning_rate` to 0 over `steps` batches."""
        model.compile(
            optimizer=keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(learning_rate, steps)
            ),
            loss=classification_loss(model, self.data),
            metrics=["accuracy"],
        )

    def _path(self, name: str, suffix: str) -> Path:
        return self.folder / f"{name}.{suffix}"


def _check_labels(data: ImageData) -> None:
    unlabelled = [split for split in data.splits if not data.has_labels(split)]
    if unlabelled or data.label_mode == "multi_label":
        found = f"no labels in {unlabelled[0]!r}" if unlabelled else "several labels"
        raise ValueError(
            "`data` must have one label a photo in every split. "
            f"Received: {found}. A split without labels is for `model.predict`."
        )
