"""The Keras book's ways to a small photo classifier, a function each.

Reference: Chollet, Deep Learning with Python, first edition, chapter 5 (5.2 from
scratch, 5.3 feature extraction and fine-tuning).
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import kerasdl as kd


class Schedule(NamedTuple):
    """How long a training takes, and how fast it goes."""

    epochs: int
    rate: float


# Ours, Adam under a cosine, and the book's, RMSprop at a rate that stays.
SCHEDULES = {
    "scratch": (Schedule(15, 1e-3), Schedule(30, 1e-4)),
    # The book's 10,000 steps: 160 passes over 2000 photos in batches of 32, its own, or
    # 100 in batches of 20, which `--book` takes as everywhere else.
    "scratch_augmented": (Schedule(160, 1e-3), Schedule(100, 1e-4)),
    "features": (Schedule(30, 1e-4), Schedule(30, 2e-5)),
    "frozen": (Schedule(20, 5e-5), Schedule(30, 2e-5)),
    "fine_tuned": (Schedule(20, 1e-5), Schedule(100, 1e-5)),
}


@dataclass
class Setting:
    """What the trainings of a run share."""

    data: Any  # ImageData
    folder: Path  # of the state
    backbone: str
    weights: str
    epochs: int | None  # None is each training's own number
    cache_dir: Path | None
    seed: int
    book: bool = False  # by its own settings
    done: dict = field(default_factory=dict)  # facts by training
    views: Any = None  # what the practice shares
    activations: dict = field(  # photos
        default_factory=lambda: {"computed": 0, "reused": 0}
    )

    def __post_init__(self):
        data = self.data
        unlabelled = [split for split in data.splits if not data.has_labels(split)]
        if unlabelled or data.label_mode == "multi_label":
            found = (
                f"no labels in {unlabelled[0]!r}" if unlabelled else "several labels"
            )
            raise ValueError(
                "`data` must have one label a photo in every split. "
                f"Received: {found}. A split without labels is for `model.predict`."
            )

    @property
    def facts(self):
        """What decides every training in the folder."""
        return {
            "format": 4,  # a change refuses what older trainings left
            "backbone": self.backbone,
            "weights": self.weights,
            "epochs": self.epochs,
            "seed": self.seed,
            "book": self.book,
            "photos": self.data.facts(),
        }

    def schedule(self, name):
        """Epochs and rate of the training `name`."""
        own = SCHEDULES[name][self.book]
        return own._replace(epochs=self.epochs or own.epochs)

    @property
    def classes(self):
        return len(self.data.class_names)

    @property
    def late(self):
        """The first layer of the backbone's late group."""
        return kd.models.backbone(self.backbone).late

    def trunk(self):
        size = self.data.image_size
        return kd.models.build_trunk(self.backbone, self.weights, size, seed=self.seed)

    def cached(self, model, splits=None, flip=False):
        """Activations of `model`, by split."""
        cached = {}
        for split in splits or self.data.splits:
            cached[split] = kd.train.cached_activations(
                model,
                self.data.pictures(split),
                self.data.resize,
                flip,
                cache_dir=self.cache_dir,
                max_pixels=self.data.max_pixels,
            )
            self.activations["computed"] += cached[split].computed
            self.activations["reused"] += cached[split].reused
        return cached


class Ended(NamedTuple):
    """A training at its end."""

    model: Any
    history: Any
    trained: int  # parameters
    predictions: dict  # outputs of the model, by split
    choices: dict = {}  # what it chose by photos held out


def run_all(trainings, setting, run):
    """Do trainings, functions by name, or read them back; returns the steps."""
    setting.folder.mkdir(exist_ok=True)
    # Of few photos the loss tells more than the accuracy.
    steps = kd.workbench.Steps(run, best="valid loss", name="stage")
    for name, training in trainings.items():
        work = functools.partial(train, training, name, setting)
        setting.done[name] = steps.once(name, work, setting.facts)
        for file in (state_of(setting, name), best_of(setting, name)):
            file.unlink(missing_ok=True)
    return steps


def state_of(setting, name):
    """What a killed training goes on with."""
    return setting.folder / f"{name}-state.npz"


def best_of(setting, name):
    """The weights of its best epoch, until it ends."""
    return setting.folder / f"{name}-best.weights.h5"


def train(training, name, setting):
    """Do a training: its model and answers become files, the rest is returned."""
    setting.activations.update(computed=0, reused=0)
    ended = training(setting)
    kd.workbench.write_outcome(setting.folder, name, ended.model, ended.predictions)
    # What an earlier, killed process trained.
    restored = ended.history["seconds"][: ended.history.attrs["restored"]]
    row = {
        "parameters trained": ended.trained,
        "epochs": len(ended.history),
        "minutes": restored.sum() / 60,
    }
    labels, nothing = setting.data.labels, float("nan")
    for split in ("valid", "test"):
        outputs = ended.predictions.get(split)
        known = outputs is not None
        row[split] = (
            kd.classification.accuracy(outputs, labels(split)) if known else nothing
        )
    losses = kd.classification.cross_entropy(
        ended.predictions["valid"], labels("valid")
    )
    row["valid loss"] = float(losses.mean())
    return {
        "row": row,
        "history": ended.history.to_dict("records"),
        "activations": dict(setting.activations),
        "choices": ended.choices,
    }


def scratch(setting, name="scratch", dropout=0.0, augment=False):
    """The book's small convnet."""
    model = kd.models.convnet(
        input_shape=(*setting.data.image_size, 3),
        classes=setting.classes,
        dropout=dropout,
        seed=setting.seed,
    )
    return fit_photos(setting, name, model, augment=augment)


def scratch_augmented(setting):
    """The same, with augmentation and Dropout."""
    return scratch(setting, "scratch_augmented", dropout=0.5, augment=True)


def flat_classifier(setting, dropout=None):
    """The trunk and a Flatten-Dense(256)-Dropout head."""
    trunk, seed = setting.trunk(), setting.seed
    return kd.models.classifier(trunk, setting.classes, "flatten", dropout, seed=seed)


def features(setting):
    """The trunk runs once over every photo; such a head trains on its activations."""
    import keras

    model = flat_classifier(setting)
    top = model.get_layer("head_flatten").input
    cached = setting.cached(keras.Model(model.input, top, name=model.name))
    views = {split: found.arrays[:1] for split, found in cached.items()}
    return fit_activations(
        setting,
        "features",
        model,
        cut=top,
        views=views,
        schedule=setting.schedule("features"),
        keep="last" if setting.book else "best",
    )


def frozen(setting):
    """Such a head on the frozen trunk, end to end with augmentation."""
    # Against overfitting the book has augmentation here, and no Dropout.
    model = flat_classifier(setting, dropout=0.0 if setting.book else None)
    kd.train.freeze_to(model, "head_flatten")
    return fit_photos(setting, "frozen", model)


def fine_tuned(setting):
    """The model of `frozen`, and its late layers too."""
    model = kd.models.load_model(setting.folder / "frozen.keras")
    kd.train.freeze_to(model, setting.late)
    # Views of its own: the head knows those of `frozen` by heart.
    seen = len(setting.done["frozen"]["history"])
    return fit_photos(setting, "fine_tuned", model, first_epoch=seen)


def fit_photos(setting, name, model, augment=True, first_epoch=0):
    """Train `model` end to end on photos, as they look from `first_epoch` on."""
    data = setting.data if augment else setting.data.with_augment(None)
    schedule = setting.schedule(name)
    compile_for(setting, model, schedule, int(data.train.cardinality()))
    history = kd.train.resumable_fit(
        model,
        data.train,
        schedule.epochs,
        state_of(setting, name),
        validation_data=data.valid,
        callbacks=[kd.callbacks.StopOnBadLoss(data)],
        start_epoch=lambda epoch: data.start_epoch(first_epoch + epoch),
        made_with=setting.facts,
    )
    held_out = {"valid": data.valid, "test": data.test}
    predictions = {
        split: model.predict(held_out[split], verbose=0) for split in data.splits[1:]
    }
    return Ended(model, history, kd.train.count_trainable(model), predictions)


def fit_activations(setting, name, model, cut, views, *, schedule, keep="best"):
    """Train what follows the tensor `cut` of `model` on its cached activations.

    The weights of the "best" epoch, of the lowest validation loss, or of the "last" one
    are kept.
    """
    import keras

    upper = keras.Model(cut, model.output, name=name)
    data = kd.classification.ActivationData(setting.data, views)
    compile_for(setting, upper, schedule, data.stream.num_batches)
    callbacks = [kd.callbacks.StopOnBadLoss(data)]
    if keep == "best":
        best = kd.callbacks.BestWeights(best_of(setting, name), "val_loss", "min")
        callbacks.append(best)
    history = kd.train.resumable_fit(
        upper,
        data.train,
        schedule.epochs,
        state_of(setting, name),
        validation_data=data.valid,
        callbacks=callbacks,
        start_epoch=data.start_epoch,
        made_with=setting.facts,
    )
    if keep == "best":
        upper.load_weights(best.path)
    predictions = answers(upper, data, views)
    return Ended(model, history, kd.train.count_trainable(upper), predictions)


def answers(upper, data, splits):
    """Outputs of `upper` for the activations of each of `splits` but "train"."""
    return {
        split: upper.predict(data.dataset(split), verbose=0)
        for split in splits
        if split != "train"
    }


def compile_for(setting, model, schedule, steps):
    """Adam under a cosine to 0, epochs of `steps` batches; or what the book has."""
    import keras

    epochs, rate = schedule
    if setting.book:
        optimizer = keras.optimizers.RMSprop(rate)
    else:
        cosine = keras.optimizers.schedules.CosineDecay(rate, epochs * steps)
        optimizer = keras.optimizers.Adam(cosine)
    model.compile(
        optimizer=optimizer,
        loss=kd.classification.classification_loss(model, setting.data),
        metrics=["accuracy"],
    )
