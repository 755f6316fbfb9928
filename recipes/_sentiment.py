"""What `sentiment.py` does: reads texts, trains networks, writes their table."""

import math
from pathlib import Path

import pandas as pd

import kerasdl as kd

CLEANING = "html accents contractions special stems lemmas blanks, in this order"
QUICK_ROWS = 400
MEMBERS = ("nbsvm", "text_cnn")
# Epochs and the highest rate of each network; that of blend is each member's own.
TRAINING = {
    "nbsvm": (0, 0.0),  # is reckoned, not trained
    "fasttext": (12, 3e-3),
    "text_cnn": (4, 4e-3),
    "text_rnn": (3, 4e-3),
    "text_rcnn": (3, 4e-3),
    "text_rnn_attention": (3, 4e-3),
    "bilstm": (3, 4e-3),
    "gru": (3, 4e-3),
    "transformer": (6, 1e-3),
}
PRETRAINED = ("text_rcnn", "text_rnn_attention", "bilstm", "gru", "transformer")
_SUMS = ("parameters", "epochs", "minutes")
_LEAST_STEPS = 150
# The lesson's code trains 100 epochs, and tests the weights of the tenth.
LESSON = {"epochs": 10, "rate": 1e-3, "batch_size": 128, "rows": 1000}


def members(model):
    """Names of the networks that --model needs, without those of several."""
    return {"blend": MEMBERS, "all": tuple(TRAINING)}.get(model, (model,))


def conflicts(args):
    """Options, whether each is given, whether it would be of no use, and its need."""
    files, model = args.valid_data or args.test_data, args.model
    is_folder = bool(args.data) and Path(args.data).is_dir()
    columns = args.text_column or args.label_column
    trained = args.epochs or args.learning_rate or args.lr_find or args.batch_size
    of_file = args.data is None or is_folder
    return (
        ("--valid-data and --test-data", files, of_file, "come with --data FILE"),
        ("--text-column and --label-column", columns, of_file, "come with --data FILE"),
        (
            "--valid",
            args.valid is not None,
            args.valid_data,
            "not be with --valid-data",
        ),
        ("--test", args.test, args.test_data, "not be with --test-data"),
        ("--stop-words", args.stop_words, args.unit != "words", "be with --unit words"),
        (
            "--epochs, --learning-rate, --lr-find and --batch-size",
            trained,
            model == "nbsvm",
            "be of a --model that is trained, which nbsvm is not",
        ),
        ("--learning-rate", args.learning_rate, args.lr_find, "not be with --lr-find"),
        (
            "--pretrain",
            args.pretrain,
            model not in (*PRETRAINED, "all"),
            f"be with --model {', '.join(PRETRAINED)} or all",
        ),
        ("--unlabelled", args.unlabelled, not args.pretrain, "be with --pretrain"),
        (
            "--model all",
            model == "all",
            args.valid == 0 and not args.valid_data,
            "have validation texts, by which the best is chosen",
        ),
    )


def read(args):
    """The table of texts, or where it lies by split."""
    from kerasdl import text

    if args.data is None:
        return None
    if Path(args.data).is_dir():
        return text.reading.read_folders(args.data, args.encoding)[0]
    files = {"train": args.data, "valid": args.valid_data, "test": args.test_data}
    given = {split: file for split, file in files.items() if file}
    columns = args.text_column, args.label_column
    return text.splits.read_splits(
        given if len(given) > 1 else args.data, args.encoding, *columns
    )


def make_data(args, source, seed):
    """The texts, read and split."""
    from kerasdl import text

    columns, options = (args.text_column, args.label_column), {}
    if source is None:
        source = text.write_reviews(seed=seed)
    if args.valid_data or args.test_data:
        columns, options = source.columns[:2], {"split_column": "split"}
    lesson = args.lesson
    if args.quick or lesson:
        count = QUICK_ROWS if args.quick else LESSON["rows"]
        source = _some(source, columns, list(options.values()), count, seed)
    valid = 0.1 if args.valid is None and not args.valid_data else args.valid
    default = LESSON["batch_size"] if lesson else 64
    stop_words = ()
    if args.stop_words:
        lines = text.reading.read_lines("stop_words", args.stop_words, args.encoding)
        stop_words = [word.strip() for word in lines["text"]]
    return text.TextData.from_frame(
        source,
        *columns,
        valid=valid,
        test=args.test,
        batch_size=args.batch_size or default,
        unit=args.unit,
        max_words=text.models.LESSON_WORDS if lesson else None,
        min_count=args.min_count,
        max_len=args.max_len,
        clean=args.clean,
        stop_words=stop_words,
        word_dropout=0.0 if lesson else 0.1,
        seed=seed,
        **options,
    )


def _some(table, names, keys, count, seed):
    """About `count` of the rows, drawn: of each class, and of `keys`, its share."""
    from kerasdl.text import columns

    if len(table) <= count:
        return table
    share = count / len(table)
    text = columns.find_text_column(table, names[0])
    label = columns.find_label_column(table, text, names[1])
    drawn = table.sample(frac=1, random_state=seed).groupby([label, *keys])
    wanted = (share * drawn[label].transform("size")).map(math.ceil)
    return table.loc[wanted.index[drawn.cumcount() < wanted]].sort_index()


def fit(name, data, seed, args, folder=None, unlabelled=()):
    """A trained network, and a row for each epoch.

    Args:
        name: of `TRAINING`.
        data: the texts.
        seed: of the weights.
        args: of the recipe, for what overrules the network's own settings.
        folder: of the state that a killed run goes on with.
        unlabelled: texts that --pretrain reads too.
    """
    from kerasdl import text

    if name == "nbsvm":
        return text.nbsvm(data), pd.DataFrame()
    size, num_batches = data.tokenizer.size, data.stream.num_batches
    sizes = text.models.LESSON.get(name, {}) if args.lesson else {}
    if args.pretrain and name in PRETRAINED and name != "transformer":
        sizes = {**sizes, "halve": False}  # hidden tokens are guessed one by one
    if name == "transformer":
        sizes = {**sizes, "max_len": data.tokenizer.max_len}  # places that it has
    seed = (seed + 1000 * list(TRAINING).index(name)) % 2**31
    network = text.models.NETWORKS[name](
        size, len(data.class_names), **sizes, seed=seed
    )
    epochs, rate = TRAINING[name]
    # Of few texts an epoch has few steps.
    epochs = max(epochs, min(30, -(-_LEAST_STEPS // num_batches)))
    if args.lesson:
        epochs, rate = LESSON["epochs"], LESSON["rate"]
    epochs = 1 if args.quick else args.epochs or epochs
    rate = args.learning_rate or rate
    if args.pretrain and name in PRETRAINED:
        more = data.tokenizer.encode(data.tokenizer.prepare(unlabelled))
        state = folder and folder.with_name(f"{folder.name}_masked.npz")
        if state:
            state.parent.mkdir(exist_ok=True)
        text.pretrain(
            network,
            [*data.encoded("train"), *more],
            size,
            1 if args.quick else args.pretrain,
            state=state,
            seed=seed,
        )
    schedule = kd.callbacks.CosineRestarts(epochs, warm_up_steps=num_batches // 2)
    optimizer = kd.workbench.adamw(rate, 0.01)
    if args.lesson:
        schedule, optimizer = kd.callbacks.WarmUp(0), "adam"
    learn = text.Learner(network, data, folder, optimizer=optimizer)
    history = learn.fit(
        None if args.lr_find else rate,
        cycle_len=epochs,
        callbacks=[schedule],
        resume=folder is not None,
    )
    return learn.model, history


class TextSteps(kd.workbench.Steps):
    """Networks trained on the same texts, one after the other, as rows of a table.

    Args:
        args: of the recipe.
        data: the texts.
        run: at work.
    """

    def __init__(self, args, data, run):
        from kerasdl import text
        from kerasdl.text.report import held_out

        super().__init__(run, best="accuracy", lowest=False, name="model")
        self.args, self.data = args, data
        self.unlabelled = []
        for file in args.unlabelled:
            rows, column = text.reading.read_rows("unlabelled", file, args.encoding)
            self.unlabelled += rows[column].tolist()
        self.split = held_out(data)
        is_test = self.split == "test" and len(data.rows("valid"))
        self.chosen_by = "valid_accuracy" if is_test else "accuracy"
        self.networks, self.history = {}, pd.DataFrame()

    def train(self, name):
        """Train one, and score it on the held-out texts."""

        def work():
            network, history = self._fit(name, self.data, name)
            self.networks[name] = network
            self.history = pd.concat([self.history, history], ignore_index=True)
            return {"parameters": network.count_params(), "epochs": len(history)}

        self.do(name, work, lambda: self._scores(self.networks[name]))

    def add_baselines(self):
        """Score TF-IDF with logistic regression on the same texts."""
        from kerasdl import text

        for name, row in text.baseline_scores(self.data, self.split).iterrows():
            self.add(name, row.to_dict())

    def best_network(self):
        """Name of the network that is best on validation texts."""
        rows = [row for row in self.rows if row["model"] in self.networks]
        return max(rows, key=lambda row: row[self.chosen_by])["model"]

    def write(self):
        """Write the run's files; what is kept trains on all texts first."""
        from kerasdl import text

        args, name = self.args, self.args.model
        if name in ("blend", "all"):
            parts = [self.networks[member] for member in MEMBERS]
            self.networks["blend"] = text.blend(parts)
            rows = [row for row in self.rows if row["model"] in MEMBERS]
            whole = {key: sum(row[key] for row in rows) for key in _SUMS}
            self.do(
                "blend", lambda: whole, lambda: self._scores(self.networks["blend"])
            )
        table = pd.DataFrame(self.rows).set_index("model")
        if name == "all":
            name = self.best_network()
        final = None if args.no_refit else self._again(name)
        scored = self._scores(self.networks[name])
        self.record(best=name, split=self.split, **scored)
        source = Path(args.data).name if args.data else "drawn reviews"
        text.write_run_files(
            self.run,
            self.networks[name],
            self.data,
            self.history,
            f"{name} of {source}",
            peers=table,
            final=final,
        )

    def _again(self, name):
        """The same network, trained on all texts."""
        from kerasdl import text

        print("\nagain, on all texts: this is kept")
        whole = self.data.all_for_training()
        names = MEMBERS if name == "blend" else (name,)
        parts = [self._fit(member, whole, f"all_{member}")[0] for member in names]
        return text.blend(parts) if name == "blend" else parts[0]

    def _fit(self, name, data, state):
        folder = self.run.path / kd.workbench.STATE / state
        network, history = fit(
            name, data, self.run.seed, self.args, folder, unlabelled=self.unlabelled
        )
        return network, history.assign(stage=state)

    def _scores(self, network):
        from kerasdl import text

        def of(split):
            found = text.answer_tokens(network, self.data.encoded(split))
            return text.scores(self.data.labels(split), found)

        found = of(self.split)
        if self.chosen_by not in found:
            found[self.chosen_by] = of("valid")["accuracy"]
        return found
