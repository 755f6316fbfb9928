"""The files of a trained translator in its run's folder."""

from typing import TYPE_CHECKING

import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_json, write_text
from kerasdl._file_names import MODEL, README
from kerasdl.artefacts import save_inference_model

from .pair_data import PairData
from .pictures import save_attention
from .report import TranslationReport
from .subwords import BEGIN, END
from .translator import SUBWORDS, TASK

if TYPE_CHECKING:
    from kerasdl.runs import Run

CHECK = "check_sentences.json"
_CHECKED = 20
_CARD = """\
# {title}

A network that translates pieces of words, {architecture}. {scores}

- `model.keras` takes a dict: `source` int32 `(batch, s)`, ids of pieces and their end
  ({end}), and `target` `(batch, t)`, begin ({begin}) and what is translated so far; 0
  is padding. It returns logits of the piece that follows each of `target`.
- `{subwords}` is the vocabulary, of sentencepiece.
- `translations_SPLIT.csv` has what it makes of each held-out split.
- `{check}` has sentences, their ids, and the ids that the greedy search finds.
- `manifest.json` says how it was made.

In plain Keras, run in this folder (`Translator` keeps keys and values, and is faster):

```python
import json

import keras
import numpy as np

model = keras.saving.load_model("model.keras")
check = json.load(open("{check}", encoding="utf-8"))
source = np.array([check["source_ids"][0]], "int32")
target = np.array([[{begin}]], "int32")
while target[0, -1] != {end} and target.shape[1] <= {longest}:
    logits = model.predict_on_batch({{"source": source, "target": target}})
    likely = 3 + logits[:, -1, 3:].argmax(axis=1)  # 0 to 2 are no pieces
    target = np.append(target, likely[:, None], axis=1).astype("int32")
print(target[0, 1:].tolist(), check["translation_ids"][0])
```

Strings:

```python
import kerasdl

translator = kerasdl.text.Translator.load(".")
print(translator.translate(check["source"][:3]))
```
"""


def write_run_files(
    run: "Run",
    data: PairData,
    report: TranslationReport,
    history: pd.DataFrame,
    title: str,
) -> None:
    """Write model, vocabulary, card, curves, history, translations and the report.

    Args:
        run: at work; its manifest gains its task and the scores.
        data: of the training.
        report: of the held-out splits.
        history: a row for each epoch; may be empty.
        title: of card and report.
    """
    folder, translator = run.path, report.translator
    run.manifest |= {"task": TASK, "data": data.facts()}
    run.record(**report.results)
    save_inference_model(translator.model, folder / MODEL)
    translator.save_facts(folder)
    for split, rows in report.rows.items():
        text = rows.to_csv(index=False)
        write_text(folder / f"translations_{split}.csv", text)
    _write_check(run, report)
    rows = next(iter(report.rows.values()))
    shown = translator.attention(rows["source"].iloc[0])
    save_attention(*shown, folder / "attention.png")
    if len(history):
        history.to_csv(folder / "history.csv", index=False)
        plots.save_curves(history, folder / "curves.png")
    last = report.scores.groupby("split", sort=False).last()
    card = _CARD.format(
        title=title,
        architecture=translator.model.name,
        scores=" ".join(
            f"BLEU of {split}: {row['bleu']:.1f} ({row['bleu_signature']})."
            for split, row in last.iterrows()
        ),
        begin=BEGIN,
        longest=translator.max_length,
        end=END,
        subwords=SUBWORDS,
        check=CHECK,
    )
    write_text(folder / README, card)
    page = folder / "report.html"
    report.save(page, title, settings=run.manifest, history=history)


def _write_check(run: "Run", report: TranslationReport) -> None:
    """Sentences with their ids, for whoever has nothing but the files."""
    rows = next(iter(report.rows.values())).head(_CHECKED)
    translator = report.translator
    texts = rows["source"].tolist()
    sources = translator.subwords.encode(texts)
    kept = [
        place for place, ids in enumerate(sources) if len(ids) < translator.max_length
    ]
    sources = [sources[place] for place in kept]
    found = [ids.tolist() for ids in translator.translate_ids(sources, 1)]
    checked = {
        "source": [texts[place] for place in kept],
        "source_ids": [[*ids, END] for ids in sources],
        "translation_ids": [
            ids[: ids.index(END) + 1] if END in ids else ids for ids in found
        ],
    }
    checked["translation"] = translator.subwords.decode(checked["translation_ids"])
    write_json(run.path / CHECK, checked)
