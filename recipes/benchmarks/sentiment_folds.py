"""How good the networks of sentiment.py are: each text held out once.

    python recipes/benchmarks/sentiment_folds.py --data FILE.csv --seed 0

The texts of one file or several are put together, without repeats, and split into
folds. Networks, their blend and TF-IDF answer the same rows; the last lines are the
mean over the folds and its standard error. Answers are kept in --out, so that a run
that is cut short goes on; --fold does some of the folds.
"""

import argparse
import sys
import time
from pathlib import Path

import kerasdl  # light, and first: it switches oneDNN on before TensorFlow loads


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", nargs="+", required=True, metavar="FILE")
    add("--out", type=Path, required=True, metavar="DIR", help="of answers")
    add("--models", nargs="+", default=["tfidf", "nbsvm", "text_cnn", "text_rcnn"])
    add("--folds", type=int, default=5, metavar="K")
    add("--fold", type=int, nargs="+", metavar="N", help="from 0; default: all")
    add("--seed", type=int, default=0, metavar="N")
    add("--pretrain", type=int, metavar="EPOCHS")
    add("--unlabelled", nargs="*", default=[], metavar="FILE")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    kerasdl.runtime.start()
    import numpy as np
    import pandas as pd

    from kerasdl import text

    sys.path.insert(0, str(Path(__file__).parents[1]))
    import _sentiment
    import sentiment

    options = sentiment.parse_args([])
    options.pretrain, read = args.pretrain, text.reading.read_rows
    unlabelled = [
        line
        for file in args.unlabelled
        for rows, column in [read("unlabelled", file)]
        for line in rows[column]
    ]
    names = ["text", "label", "split"]
    tables = [text.splits.read_splits({"train": file}) for file in args.data]
    whole = text.TextData.from_frame(
        pd.concat([table.set_axis(names, axis=1) for table in tables]),
        *names[:2],
        valid=0,
        seed=args.seed,
    )
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, data in enumerate(whole.folds(args.folds)):
        if number not in (args.fold or range(args.folds)):
            continue
        found, labels = {}, data.labels("valid")
        for name in args.models:
            path = args.out / f"{name}_{args.seed}_{number}.npy"
            began, cpu = time.monotonic(), time.process_time()
            if not path.exists():
                if name == "tfidf":
                    answers = text.tfidf_answers(data)
                else:
                    network, _ = _sentiment.fit(
                        name,
                        data,
                        args.seed + number,
                        options,
                        unlabelled=unlabelled,
                    )
                    answers = text.answer_tokens(network, data.encoded("valid"))
                np.save(path, answers)
            found[name] = np.load(path)
            row = {"model": name, "fold": number}
            row |= {"minutes": (time.monotonic() - began) / 60}
            row |= {"cpu_seconds": time.process_time() - cpu}
            rows.append(row | text.scores(labels, found[name]))
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=False))
        parts = [np.log(found[name]) for name in _sentiment.MEMBERS if name in found]
        if len(parts) == len(_sentiment.MEMBERS):
            mean = np.exp(sum(parts) / len(parts))
            mean /= mean.sum(axis=1, keepdims=True)
            rows.append({"model": "blend", "fold": number, **text.scores(labels, mean)})
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=False))
    table = pd.DataFrame(rows).drop(columns="fold").groupby("model", sort=False)
    print(f"\nmean\n{table.mean().to_string(float_format='{:.4f}'.format)}")
    print(f"\nstandard error\n{table.sem().to_string(float_format='{:.4f}'.format)}")


if __name__ == "__main__":
    main()
