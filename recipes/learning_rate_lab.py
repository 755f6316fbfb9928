"""Ways to change the learning rate, side by side, on one set of photos.

    python recipes/learning_rate_lab.py --data data/cats_dogs

A head trains on cached activations of the frozen backbone, from the same weights and on
the same batches, with a constant rate, with cosine restarts (SGDR), with one cycle and
with steps; before that, `lr_find` looks for a rate. Pictures: the rates of all batches,
the validation losses, and what `lr_find` saw. Reference: fast.ai, lessons 1 and 2.
"""

import argparse
import json

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads

NAME = "learning_rate_lab"


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kerasdl.workbench.add_photo_arguments(parser)
    add = parser.add_argument
    add(
        "--image-size",
        type=kerasdl.workbench.positive_int,
        metavar="PIXELS",
        help="side; default: by backbone",
    )
    add(
        "--epochs",
        type=kerasdl.workbench.positive_int,
        default=7,
        metavar="N",
        help="of each; default: 7",
    )
    add(
        "--rate",
        type=kerasdl.workbench.positive_float,
        metavar="RATE",
        help="highest; default: lr_find's valley",
    )
    kerasdl.workbench.add_run_arguments(parser)
    return kerasdl.workbench.parse_run_arguments(parser, argv, NAME)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start(
        args.precision,
        args.deterministic,
        args.gpu_memory_growth,
        args.verbose,
        args.strategy,
    )
    if kerasdl.workbench.clear_cache(args):
        return
    from kerasdl import models, train

    size = args.image_size or models.backbone(args.backbone).image_size
    with kerasdl.runs.run_folder(
        args.out,
        kerasdl.workbench.recorded(args),
        seed=args.seed,
        resume=args.resume,
        overwrite=args.overwrite,
    ) as run:
        trunk = models.build_trunk(args.backbone, args.weights, size, seed=run.seed)
        photos, check = kerasdl.workbench.read_photos(args, size, None, seed=run.seed)
        kerasdl.workbench.remember_photos(run, photos, check)
        model = models.classifier(trunk, len(photos.class_names), seed=run.seed)
        train.freeze(model)
        head, data = train.precompute(model, photos, cache_dir=args.cache)
        models.recompute_batch_norm(head, data.train)
        compare(head, data, train.classification_loss(model, photos), args, run)
    if not run.is_chief:
        return
    kerasdl.workbench.print_cache_size(args)
    print(f"\n{args.out}/ holds the pictures: lr_find.png, rates.png, losses.png")


def compare(head, data, loss, args, run):
    """Train once with each schedule; write the pictures and print the table."""
    import keras
    import pandas as pd

    from kerasdl import callbacks, plots, train

    epochs = 1 if args.quick else args.epochs
    # Dropout's random state among them, which `get_weights` leaves out.
    first = [variable.numpy() for variable in head.variables]

    def begin(rate):
        for variable, value in zip(head.variables, first, strict=True):
            variable.assign(value)
        head.compile(keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])

    begin(1e-3)
    found = train.lr_find(head, data)
    found.plot(run.path / "lr_find.png")
    for name, rate in found.suggestions.items():
        print(f"lr_find: {name} {rate:.1e}")
    highest = args.rate or found.suggestions["valley"]

    schedules = {
        "constant": callbacks.WarmUp(0),
        "cosine_restarts": callbacks.CosineRestarts(cycle_len=1, cycle_mult=2),
        "one_cycle": callbacks.OneCycle(),
        "step_decay": callbacks.StepDecay(decay_len=max(1, epochs // 3), factor=0.1),
    }
    rates, losses, rows = {}, {}, []
    for name, schedule in schedules.items():
        print(f"\n{name}")
        begin(highest)
        history = train.resumable_fit(
            head,
            data.train,
            epochs,
            validation_data=data.valid,
            callbacks=[callbacks.StopOnBadLoss(data), schedule],
            start_epoch=data.start_epoch,
        )
        rates[name], losses[name] = schedule.rates, history["val_loss"].tolist()
        last = history.iloc[-1]
        row = {"schedule": name, "valid": last["val_accuracy"]}
        rows.append(row | {"valid loss": last["val_loss"], "lowest": min(losses[name])})
    plots.save_lines(rates, run.path / "rates.png", "batch", "learning rate")
    plots.save_lines(
        losses, run.path / "losses.png", "epoch", "validation loss", start=1
    )
    table = pd.DataFrame(rows)
    run.record(rate=highest, schedules=json.loads(table.to_json(orient="records")))
    print(f"\nhighest rate {highest:.1e}, {epochs} epochs each\n")
    print(table.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    kerasdl.workbench.run_recipe(main)
