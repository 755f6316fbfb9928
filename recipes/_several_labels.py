"""Photos with several labels each: a head, then all layers, and a threshold a label.

Reference: fast.ai, lesson 3.
"""

import kerasdl as kd

HEAD_RATE = 1e-3
RATES = slice(1e-5, 1e-4)  # of the first and the last layer group


def train(data, args, run):
    """Train by `args`, keep the step of the lowest validation loss, write the files."""
    if args.stages != "practice" or args.baseline:
        raise ValueError(
            "`stages` must be practice, and --baseline left out, where photos have "
            f"several labels. Received: stages={args.stages!r}, "
            f"baseline={args.baseline}"
        )
    steps = kd.workbench.LearnerSteps.pretrained(
        run,
        args.backbone,
        data,
        measure,
        precompute=True,
        weights=args.weights,
        cache_dir=args.cache,
    )
    learn = steps.learn
    epochs = 1 if args.quick else args.epochs or 3
    steps.fit("head", HEAD_RATE, cycles=1 if args.quick else 3, cycle_mult=2)
    learn.precompute = False
    learn.unfreeze()
    learn.bn_freeze()
    kd.train.set_layer_rates(learn.model, RATES)
    steps.fit("all_layers", RATES, cycle_len=epochs)
    with kd.train.without_strategy():
        finish(learn, steps, run)


def measure(predict):
    """F1 of all labels at thresholds of 0.5, and the loss."""
    found = predict("valid")
    f1 = kd.classification.FBeta(beta=1)
    f1.update_state(found.labels, found.probabilities)
    return {"F1": float(f1.result()), "valid loss": found.log_loss}


def finish(learn, steps, run):
    """Thresholds fitted on the validation photos, and the files of the run."""
    best = steps.keep_best()
    found = learn.predict("valid")
    thresholds = kd.predict.fit_thresholds(found.probabilities, found.labels, beta=1)
    run.manifest["thresholds"] = thresholds
    report = kd.interpret.ClassificationReport.from_model(
        learn.model, learn.data, "valid", threshold=thresholds
    )
    steps.write(f"{run.out.name}: {best}", best, report)
