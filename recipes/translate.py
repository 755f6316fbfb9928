"""Translate: a Transformer, or GRUs with attention, from random weights.

    python recipes/translate.py --data data/multi30k --source en --target fr --seed 1

--data is a folder of train.SOURCE and train.TARGET, a sentence a line, val.SOURCE and
any test*.SOURCE, each with or without .gz; or one .txt or .tsv file whose first column
is the source and whose second the target (--swap turns them round). What is missing of
validation and test is drawn, whole sources at a time. Without --data it learns to read
dates: "the third of March 2014" is 2014-03-03.

Every test is scored by BLEU and chrF, greedy and by beams. The run holds model.keras,
which takes and answers ids of pieces, pieces.model, what it made of each held-out
sentence, and report.html.
"""

import kerasdl as kd

NAME = "translate"
PREDICT = """{out}/ holds the model and report.html; a text a line, or a CSV file:
  python recipes/predict.py {out} FILE.txt --csv answers.csv"""
ARCHITECTURES = ("transformer", "gru")
QUICK_PAIRS = 400


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", metavar="PATH", help="folder or file; default: drawn dates")
    add("--source", metavar="EN", help="language of a folder's files")
    add("--target", metavar="FR", help="language that is translated to")
    add("--swap", action="store_true", help="translate the other way")
    add("--encoding", default="utf-8", help="of the files; default: %(default)s")
    first = ARCHITECTURES[0]
    add("--architecture", choices=ARCHITECTURES, default=first, help="of the network")
    attentions = ("bahdanau", "luong")
    help = "of --architecture gru; default: bahdanau"
    add("--attention", choices=attentions, help=help)
    add(
        "--lesson",
        action="store_true",
        help="as the course: whole words, at most ten a sentence, Chinese simplified "
        "and cut by jieba",
    )
    parser.add_int("--pieces", None, "of the vocabulary; default: 4000, of dates 150")
    parser.add_int("--width", None, "of embeddings; default: 256, of dates 96")
    parser.add_int("--layers", None, "of the transformer's two parts; default: 2")
    help = "of one cosine; default: 16, of the GRUs 8, of dates 14"
    parser.add_int("--epochs", None, help)
    parser.add_float("--learning-rate", 2e-3, "default: %(default)s")
    parser.add_int("--batch-tokens", 2048, "pieces of a batch; default: %(default)s")
    parser.add_share("--dropout", None, "default: 0.2, of dates by the transformer 0")
    parser.add_share("--label-smoothing", 0.1, "default: %(default)s")
    add(
        "--teacher-forcing",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="to which the share of true pieces falls, in [0, 1]; default: %(default)s",
    )
    parser.add_int("--max-length", 100, "pieces of a sentence; default: %(default)s")
    parser.add_int("--beams", 5, "of the search; default: %(default)s")
    args = parser.parse_run(argv, NAME, f"{QUICK_PAIRS} pairs and one epoch")
    if args.data is None and (args.source or args.target or args.lesson):
        parser.error("--source, --target and --lesson are of --data. Received: none")
    is_gru = args.architecture == "gru"
    usual_epochs = (8 if is_gru else 16) if args.data else 14
    args.epochs = 1 if args.quick else args.epochs or usual_epochs
    if args.dropout is None:
        args.dropout = 0.2 if args.data or is_gru else 0.0
    if args.attention and not is_gru or args.layers and is_gru:
        parser.error(
            "--attention must be with --architecture gru, and --layers with "
            f"transformer. Received: --architecture {args.architecture}"
        )
    if not 0 <= args.teacher_forcing <= 1:
        parser.error(
            f"--teacher-forcing must be in [0, 1]. Received: {args.teacher_forcing}"
        )
    return args


def check(args):
    """Ask what only the library knows, which loads TensorFlow."""
    most = kd.text.translation.MAX_LENGTH
    if args.max_length > most and args.architecture == "transformer":
        raise ValueError(
            f"--max-length must be at most {most} with --architecture transformer. "
            f"Received: {args.max_length}"
        )


def main(argv=None):
    args = parse_args(argv)
    with kd.workbench.training_run(args, PREDICT, check) as run:
        data = split(read(args), args, run.seed)
        print(data.counts().to_string())
        model = build(args, data, run.seed)
        print(f"{model.name}, {model.count_params():,} parameters")
        history = fit(args, run, data, model)
        print(kd.train.history_table(history))
        if args.precision != "float32":  # a search adds up what it keeps in float32
            model = kd.artefacts.inference_model(model)
        translator = kd.text.Translator(
            model, data.subwords, args.max_length, args.beams, args.lesson
        )
        beams = sorted({1, args.beams})
        report = kd.text.translation.TranslationReport.of(translator, data, beams)
        names = ["split", "pairs", "beams", "bleu", "chrf", "exact", "seconds"]
        print(f"\n{report.scores[names].to_string(index=False)}")
        print(report.scores["bleu_signature"].iloc[0])
        title = f"Translation of {args.data or 'dates'}"
        kd.text.translation.write_run_files(run, data, report, history, title)


def read(args):
    """Pairs of files; None for dates, which are drawn by the run's seed."""
    if args.data is None:
        return None
    pairs = kd.text.translation.read_pairs(
        args.data, args.source, args.target, swap=args.swap, encoding=args.encoding
    )
    return kd.text.translation.lesson_pairs(pairs) if args.lesson else pairs


def split(pairs, args, seed):
    if pairs is None:
        pairs = kd.text.translation.draw_dates(seed=seed)
        if args.swap:
            pairs = pairs.rename(columns={"source": "target", "target": "source"})
    if args.quick:
        pairs = pairs.groupby("split", sort=False).head(QUICK_PAIRS)
    return kd.text.PairData(
        pairs,
        args.pieces or (4000 if args.data else 150),
        args.batch_tokens,
        args.max_length,
        kind="word" if args.lesson else "unigram",
        seed=seed,
    )


def build(args, data, seed):
    pieces, width = len(data.subwords), args.width or (256 if args.data else 96)
    if args.architecture == "gru":
        return kd.text.gru_translator(
            pieces,
            width,
            units=width * 5 // 4 // 2 * 2,
            attention=args.attention or "bahdanau",
            dropout=args.dropout,
            seed=seed,
        )
    return kd.text.transformer_translator(
        pieces,
        width,
        num_layers=args.layers or 2,
        hidden=2 * width,
        dropout=args.dropout,
        seed=seed,
    )


def fit(args, run, data, model):
    """Train by Adam and one cosine; the mean of the last weights is kept."""
    import keras

    steps = args.epochs * data.stream.num_batches
    trained, callbacks = model, [keras.callbacks.SwapEMAWeights()]
    if args.teacher_forcing < 1:
        trained = kd.text.translation.with_own_pieces(model, seed=run.seed)
        forcing = kd.text.translation.TeacherForcing(args.teacher_forcing, steps)
        callbacks.append(forcing)
    optimizer = keras.optimizers.Adam(
        args.learning_rate, beta_2=0.98, use_ema=True, ema_momentum=0.99
    )
    loss = kd.text.translation.NextPieceLoss(args.label_smoothing)
    trained.compile(optimizer, loss)
    learn = kd.learner.Learner(trained, data, run.path / kd.workbench.STATE)
    warm_up = min(steps // 10, 400)
    cosine = kd.callbacks.CosineRestarts(args.epochs, warm_up_steps=warm_up)
    return learn.fit(
        args.learning_rate,
        cycle_len=args.epochs,
        callbacks=[cosine, *callbacks],
        resume=True,
    )


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
