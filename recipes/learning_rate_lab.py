"""Ways to change the learning rate, side by side, on one set of photos.

    python recipes/learning_rate_lab.py --data data/cats_dogs

A head trains on cached activations of the frozen backbone, from the same weights and on
the same batches, with a constant rate, with cosine restarts (SGDR), with one cycle and
with steps; before that, `lr_find` looks for a rate. Pictures: the rates of all batches,
the validation losses, and what `lr_find` saw. --snapshots keeps the weights at the end
of each cycle of the cosine restarts, and adds what the mean of their answers scores.
Reference: fast.ai, lessons 1 and 2; Huang et al., https://arxiv.org/abs/1704.00109.
"""

import json

import kerasdl as kd

NAME = "learning_rate_lab"
PICTURES = "{out}/ holds the pictures: lr_find.png, rates.png, losses.png"


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    kd.workbench.add_photo_arguments(parser)
    parser.add_int("--image-size", None, "side; default: by backbone", "PIXELS")
    parser.add_int("--epochs", 7, "of each; default: 7")
    parser.add_float("--rate", None, "highest; default: lr_find's valley")
    help = "an ensemble of the cycles' ends, whose weights stay in OUT/snapshots"
    parser.add_argument("--snapshots", action="store_true", help=help)
    return parser.parse_run(argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, PICTURES, kd.workbench.check_backbone) as run:
        size = args.image_size or kd.models.backbone(args.backbone).image_size
        trunk = kd.models.build_trunk(args.backbone, args.weights, size, seed=run.seed)
        options = kd.workbench.PhotoOptions.of(args)
        photos, check = kd.workbench.read_photos(options, size, None, seed=run.seed)
        kd.workbench.remember_photos(run, photos, check)
        model = kd.models.classifier(trunk, len(photos.class_names), seed=run.seed)
        kd.train.freeze(model)
        head, data = kd.classification.precompute(model, photos, cache_dir=args.cache)
        kd.models.recompute_batch_norm(head, data.train)
        loss = kd.classification.classification_loss(model, photos)
        ensemble = Snapshots(model, photos, run) if args.snapshots else None
        compare(head, data, loss, args, run, snapshots=ensemble)


class Snapshots:
    """The weights of all layers at the end of each cycle, and their mean answer."""

    def __init__(self, model, photos, run):
        self.model, self.photos = model, photos
        self.heads = kd.callbacks.CycleSnapshots(run.path / kd.workbench.STATE)
        self.folder = run.path / "snapshots"

    def row(self, head):
        """What they score, a row of the table; `head` shares its weights with all."""
        self.folder.mkdir(exist_ok=True)
        files = []
        for file in self.heads.files:
            head.load_weights(file)
            files.append(self.folder / file.name)
            self.model.save_weights(files[-1])
        found = kd.predict.ensemble(self.model, files, self.photos)
        name = f"{len(files)} snapshots"
        return {"schedule": name, "valid": found.accuracy, "valid loss": found.log_loss}


def compare(head, data, loss, args, run, snapshots=None):
    """Train once with each schedule; write the pictures and print the table."""
    import keras
    import pandas as pd

    epochs = 1 if args.quick else args.epochs
    # Dropout's random state among them, which `get_weights` leaves out.
    first = [variable.numpy() for variable in head.variables]

    def begin(rate):
        for variable, value in zip(head.variables, first, strict=True):
            variable.assign(value)
        head.compile(keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])

    begin(1e-3)
    found = kd.train.lr_find(head, data)
    found.plot(run.path / "lr_find.png")
    for name, rate in found.suggestions.items():
        print(f"lr_find: {name} {rate:.1e}")
    highest = args.rate or found.suggestions["valley"]

    schedules = {
        "constant": kd.callbacks.WarmUp(0),
        "cosine_restarts": kd.callbacks.CosineRestarts(cycle_len=1, cycle_mult=2),
        "one_cycle": kd.callbacks.OneCycle(),
        "step_decay": kd.callbacks.StepDecay(decay_len=max(1, epochs // 3), factor=0.1),
    }
    rates, losses, rows = {}, {}, []
    for name, schedule in schedules.items():
        print(f"\n{name}")
        begin(highest)
        callbacks = [kd.callbacks.StopOnBadLoss(data), schedule]
        takes_snapshots = snapshots and name == "cosine_restarts"
        if takes_snapshots:
            callbacks.append(snapshots.heads)
        history = kd.train.resumable_fit(
            head,
            data.train,
            epochs,
            validation_data=data.valid,
            callbacks=callbacks,
            start_epoch=data.start_epoch,
        )
        rates[name], losses[name] = schedule.rates, history["val_loss"].tolist()
        last = history.iloc[-1]
        row = {"schedule": name, "valid": last["val_accuracy"]}
        rows.append(row | {"valid loss": last["val_loss"], "lowest": min(losses[name])})
        if takes_snapshots:
            rows.append(snapshots.row(head))
    kd.plots.save_lines(rates, run.path / "rates.png", "batch", "learning rate")
    kd.plots.save_lines(
        losses, run.path / "losses.png", "epoch", "validation loss", start=1
    )
    table = pd.DataFrame(rows)
    run.record(rate=highest, schedules=json.loads(table.to_json(orient="records")))
    print(f"\nhighest rate {highest:.1e}, {epochs} epochs each\n")
    print(kd.tables.as_texts(table).to_string(index=False))


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
