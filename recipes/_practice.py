"""A short practice: a linear head on activations, then the late layers.

Reference: fast.ai, lessons 1-3 (activations computed once, then the late layers under
a cosine schedule).
"""

import time

from _chapter import Ended, fit_activations

import kerasdl as kd


def activations(setting):
    """A trunk and, by split, views of (late group's input, pooled output)."""
    if setting.views is None:
        setting.views = _activations(setting)
    return setting.views


def _activations(setting):
    import keras

    trunk = setting.trunk()
    cut = trunk.get_layer(setting.late).input
    pool = keras.layers.GlobalAveragePooling2D(name="head_avg_pool")
    both = keras.Model(trunk.input, [cut, pool(trunk.output)], name=trunk.name)
    views = {split: [found.arrays] for split, found in setting.cached(both).items()}
    mirrored = setting.cached(both, ["train"], flip=True)["train"]
    views["train"].append(mirrored.arrays)
    return trunk, views


def practice_head(setting):
    """A linear head on the activations of the photos and of their mirror images."""
    import keras
    import pandas as pd

    trunk, views = activations(setting)
    data = setting.data
    pooled = {split: [pair[1] for pair in pairs] for split, pairs in views.items()}
    began = time.monotonic()
    head = kd.classification.fit_linear_head(
        pooled["train"],
        data.labels("train"),
        setting.classes,
        (pooled["valid"][0], data.labels("valid")),
        balanced=data.oversample,
        seed=setting.seed,
    )
    seconds = round(time.monotonic() - began, 2)
    top = kd.models.pooled_head(
        trunk.output, setting.classes, dropout=0.0, l2=head.l2 / 2, seed=setting.seed
    )
    model = keras.Model(trunk.input, top, name=trunk.name)
    kd.train.freeze_to(model, "head_dropout")
    head.assign_to(model)
    upper = keras.Model(model.get_layer("head_avg_pool").output, model.output)
    outputs = {
        split: upper.predict(views[0], verbose=0) for split, views in pooled.items()
    }
    row = {"epoch": 1}
    for split, prefix in (("train", ""), ("valid", "val_")):
        losses = kd.classification.cross_entropy(outputs[split], data.labels(split))
        accuracy = kd.classification.accuracy(outputs[split], data.labels(split))
        row |= {f"{prefix}accuracy": accuracy, f"{prefix}loss": float(losses.mean())}
    history = pd.DataFrame([row | {"seconds": seconds}])
    history.attrs["restored"] = 0
    del outputs["train"]
    choices = {"l2": head.l2, "tried": head.tried.to_dict("records")}
    return Ended(model, history, kd.train.count_trainable(model), outputs, choices)


def practice(setting):
    """The late layers of that model too, unless that does not clearly help.

    It ends as it began where no epoch has a loss on the validation photos that is
    clearly lower. The rate of 1e-5 is low: at 1e-4, on 240 photos of three breeds of
    pets and on 200 of CIFAR-10, the loss on the test photos rose within an epoch.
    """
    _, views = activations(setting)
    path = setting.folder / "practice_head.keras"
    model = kd.models.load_model(path)
    kd.train.freeze_to(model, setting.late)
    model.get_layer("head_bn").trainable = False  # exact already
    cut = {split: [pair[0] for pair in pairs] for split, pairs in views.items()}
    bottom = model.get_layer(setting.late).input
    ended = fit_activations(
        setting, "practice", model, cut=bottom, views=cut, epochs=5, rate=1e-5
    )
    head = kd.workbench.read_predictions(setting.folder, "practice_head")
    before, after = (
        kd.classification.cross_entropy(outputs["valid"], setting.data.labels("valid"))
        for outputs in (head, ended.predictions)
    )
    if kd.classification.clearly_lower(after, before):
        epoch = int(ended.history["val_loss"].idxmin()) + 1
        return ended._replace(choices={"epoch": epoch})
    print("no epoch lowers the validation loss clearly: the head stays as it was")
    kd.models.copy_weights(kd.models.load_model(path), model)
    return ended._replace(predictions=head, choices={"epoch": 0})


def baseline(setting):
    """`logistic_baseline` on the features that `practice_head` trains on."""
    _, views = activations(setting)
    features = {split: pairs[0][1] for split, pairs in views.items()}
    labels = {split: setting.data.labels(split) for split in views}
    return kd.classification.logistic_baseline(features, labels)
