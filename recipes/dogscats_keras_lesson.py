"""fast.ai's lesson 2 as a Keras user writes it: cats and dogs, and where it goes wrong.

    python recipes/dogscats_keras_lesson.py
    python recipes/dogscats_keras_lesson.py --data data/dogscats --backbone resnet50

Without --data it runs on drawings that come with it, not photos. DIR holds train/ and
valid/, each with a folder for each of two classes.

A pretrained trunk, global average pooling, Dense(1024) and a sigmoid. First these train
on the frozen trunk, then the late layers too, twice from the same weights: as in the
lesson, whose BatchNorm trains again and whose RMSprop keeps its default rate of 1e-3,
and with BatchNorm held still at 1e-5. The lesson unfreezes from layer 140 of a ResNet50
of 2017 on, which is where its last stage begins; here that is the trunk's late group,
whatever the trunk. Pixels are not divided by 255: their scale is in the trunk.
Reference: fast.ai, lesson 2.
"""

import hashlib
from pathlib import Path

import kerasdl as kd

NAME = "dogscats_keras_lesson"
RATES = {"lesson": 1e-3, "held still": 1e-5}
NEXT_STEP = "{out}/model.keras is what trained with BatchNorm held still"


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", default="sample", metavar="DIR", help="default: drawings")
    add("--backbone", default="efficientnet_lite0", metavar="NAME", help="the trunk")
    add("--weights", default="imagenet", metavar="FILE", help="of the trunk")
    add(
        "--cache",
        type=Path,
        metavar="DIR",
        help="of drawings; default: ~/.cache/kerasdl",
    )
    parser.add_int("--image-size", None, "side; default: the trunk's", "PIXELS")
    parser.add_int("--batch-size", 64, "default: 64")
    parser.add_int("--epochs", 3, "on the frozen trunk; default: 3")
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    if args.strategy != "none":
        raise ValueError(
            "`strategy` must be 'none': plain `fit` on a generator trains on one "
            f"device. Received: strategy={args.strategy!r}"
        )
    with kd.workbench.training_run(args, NEXT_STEP, kd.workbench.check_backbone) as run:
        import keras

        keras.utils.set_random_seed(run.seed)
        train, valid = flows(args, run.seed)
        run.save_labels(list(train.class_indices))
        trunk = kd.models.build_trunk(
            args.backbone, args.weights, args.image_size, seed=run.seed
        )
        lesson(with_head(trunk), trunk, train, valid, args=args, run=run)


def flows(args, seed):
    """Batches for training, and for validation."""
    folder = kd.workbench.photo_folder(args.data, args.cache)
    splits = kd.data.split_folders(folder)
    if not {"train", "valid"} <= splits.keys():
        raise ValueError(
            "`data` must be a folder with train/ and valid/. Received: "
            f"data={str(folder)!r} with {', '.join(splits) or 'neither'}"
        )
    size = args.image_size or kd.models.backbone(args.backbone).image_size
    drawn = kd.data.ImageDataGenerator(
        shear_range=0.2, zoom_range=0.2, horizontal_flip=True
    )
    plain = kd.data.ImageDataGenerator()
    how = {"target_size": (size, size), "batch_size": args.batch_size}
    how |= {"class_mode": "binary", "seed": seed}
    train = drawn.flow_from_directory(folder / splits["train"], **how)
    valid = plain.flow_from_directory(folder / splits["valid"], shuffle=False, **how)
    if len(train.class_indices) != 2 or valid.class_indices != train.class_indices:
        raise ValueError(
            "`data` must have the same two classes in train/ and valid/. Received: "
            f"{list(train.class_indices)} and {list(valid.class_indices)}"
        )
    return train, valid


def with_head(trunk):
    import keras
    from keras import layers

    x = layers.GlobalAveragePooling2D()(trunk.output)
    x = layers.Dense(1024, activation="relu")(x)
    return keras.Model(trunk.input, layers.Dense(1, activation="sigmoid")(x))


def lesson(model, trunk, train, valid, *, args, run):
    """Train the head, then the late layers in both ways; the last one is kept."""
    import keras
    import pandas as pd

    late = trunk.layers.index(trunk.get_layer(kd.models.backbone(trunk.name).late))
    steps, histories = kd.workbench.Steps(run, best="valid loss"), []
    state = run.path / kd.workbench.STATE
    state.mkdir(exist_ok=True)
    files = "\0".join([*train.filenames, "", *valid.filenames])
    made_with = {"files": hashlib.sha256(files.encode()).hexdigest(), "seed": run.seed}
    few = min(max(1, 200 // args.batch_size), len(train))

    def fit(step, rate, epochs):
        model.compile(
            keras.optimizers.RMSprop(rate), "binary_crossentropy", metrics=["accuracy"]
        )
        found = model.fit(
            train,
            steps_per_epoch=few if args.quick else None,
            epochs=1 if args.quick else epochs,
            validation_data=valid,
            verbose=2,
        )
        model.save_weights(state / f"{step}.weights.h5")
        last = {name: values[-1] for name, values in found.history.items()}
        row = {
            "train": last["accuracy"],
            "valid": last["val_accuracy"],
            "valid loss": last["val_loss"],
        }
        epoch = train.stream.next_epoch
        return {"row": row, "history": found.history, "next_epoch": epoch}

    def do(step, rate, epochs=1):
        found = steps.once(step, lambda: fit(step, rate, epochs), made_with)
        # Where an earlier process did it, this one goes on from there.
        model.load_weights(state / f"{step}.weights.h5")
        train.stream.next_epoch = found["next_epoch"]
        histories.append(pd.DataFrame(found["history"]).assign(stage=step))

    for layer in trunk.layers:
        layer.trainable = False
    do("head", 1e-3, args.epochs)
    weights = model.get_weights()
    for way, rate in RATES.items():
        model.set_weights(weights)
        for layer in trunk.layers[late:]:
            # A BatchNorm that does not train answers by its stored statistics, too.
            is_norm = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = way == "lesson" or not is_norm
        do(f"late layers, {way}", rate)

    history = pd.concat(histories, ignore_index=True)
    history.insert(0, "epoch", range(1, len(history) + 1))
    history.to_csv(run.path / "history.csv", index=False)
    kd.plots.save_curves(history, run.path / "curves.png")
    kd.export.save_inference_model(model, run.path / "model.keras")
    steps.record()


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
