"""Say what a text is: reviews that are positive or negative, or any other classes.

    python recipes/sentiment.py --data FILE.csv --seed 1
    python recipes/predict.py saved_models/sentiment REVIEWS.csv --csv answers.csv

FILE has a column of texts (review, text, sentence, comment, or the only one of strings)
and one of labels; both are found and said, or named by --text-column and
--label-column. A folder has a folder of .txt files for each class. No text is in two
splits: what stands there several times is counted and left out. Beside --test-data
alone, validation texts are drawn from FILE.

The default --model blend is the mean of several networks of characters (--help says
which), each of them trained by one cosine. `--model all` trains every network of
`kerasdl.text.models` side by side, `--lesson` the course's TextRCNN of 1,000 words with
its settings. TF-IDF with logistic regression on the same rows stands in every table;
what is best of all is chosen on validation texts.

What is measured trained without the held-out texts. What is kept has trained on those
too, unless --no-refit. Without --data it trains on 600 reviews drawn by a grammar.
"""

import _sentiment

import kerasdl as kd

NAME = "sentiment"
PREDICT = """{out}/ holds the model and report.html; of texts of your own:
  python recipes/predict.py {out} TEXTS.csv --csv answers.csv"""


def parse_args(argv=None):
    parser = kd.workbench.RecipeParser(__doc__)
    add = parser.add_argument
    add("--data", metavar="FILE", help=".csv, .tsv, with or without .gz, or a folder")
    add("--valid-data", metavar="FILE", help="validation texts, in place of --valid")
    add("--test-data", metavar="FILE", help="test texts, in place of --test")
    add("--text-column", metavar="COLUMN", help="default: found and said")
    add("--label-column", metavar="COLUMN", help="default: found and said")
    add("--encoding", default="utf-8", help="of files; default: %(default)s")
    models = (*_sentiment.TRAINING, "blend", "all")
    members = ", ".join(_sentiment.MEMBERS)
    add("--model", choices=models, help=f"default: blend, of {members}")
    add("--lesson", action="store_true", help="the course's words, sizes and settings")
    add("--unit", choices=("characters", "words"), help="default: characters")
    add("--clean", nargs="*", default=[], metavar="STEP", help=_sentiment.CLEANING)
    add("--stop-words", metavar="FILE", help="a word a line; with --unit words")
    parser.add_int("--max-len", 256, "tokens that are read; default: %(default)s")
    parser.add_int("--min-count", 2, "of a known token; default: %(default)s")
    parser.add_share("--valid", None, "of the texts; default: 0.1")
    parser.add_share("--test", 0.0, "of the texts; default: %(default)s")
    parser.add_int("--epochs", None, "default: that of the network")
    parser.add_float("--learning-rate", None, "default: that of the network")
    add("--lr-find", action="store_true", help="take the valley of a sweep instead")
    parser.add_int("--batch-size", None, "default: 64, of the lesson 128")
    pretrain = "first guess hidden tokens so long, of networks with states of each"
    parser.add_int("--pretrain", None, pretrain, metavar="EPOCHS")
    add(
        "--unlabelled", nargs="*", default=[], metavar="FILE", help="for --pretrain too"
    )
    add("--no-refit", action="store_true", help="keep what was measured")
    quick = f"{_sentiment.QUICK_ROWS} texts, of each class its share, and one epoch"
    args = parser.parse_run(argv, NAME, quick)
    if args.lesson:
        args.model = args.model or "text_rcnn"
        args.unit, args.no_refit = args.unit or "words", True
    args.model, args.unit = args.model or "blend", args.unit or "characters"
    for option, is_given, is_wrong, need in _sentiment.conflicts(args):
        if is_given and is_wrong:
            parser.error(f"{option} must {need}")
    return args


def main(argv=None):
    args = parse_args(argv)
    source = _sentiment.read(args)  # what is wrong with files is said before all else
    with kd.workbench.training_run(args, PREDICT) as run:
        data = _sentiment.make_data(args, source, run.seed)
        steps = _sentiment.TextSteps(args, data, run)
        for name in _sentiment.members(args.model):
            steps.train(name)
        steps.add_baselines()
        steps.write()


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
