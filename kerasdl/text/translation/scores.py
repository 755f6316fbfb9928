"""How good translations are: BLEU and chrF by sacrebleu, with their signatures."""

from collections.abc import Sequence
from typing import Any

from kerasdl._optional import require

_KANA, _CJK = range(0x3040, 0x3100), range(0x3040, 0xA000)  # those, Chinese too


def translation_scores(
    translations: Sequence[str], references: Sequence[str]
) -> dict[str, Any]:
    """BLEU, chrF, and the share of translations that are the reference.

    BLEU is of cased words as WMT cuts them (13a), of Chinese as "zh" does: by
    characters; of Japanese of all characters ("char"), since "zh" leaves kana whole.
    The signatures say so.

    Args:
        translations: of a whole test.
        references: one for each.

    Returns:
        `bleu` and `chrf` in [0, 100], `exact` in [0, 1], `bleu_signature` and
        `chrf_signature`.

    Raises:
        ImportError: sacrebleu is not installed.
        ValueError: there are none, or not as many of both.
    """
    if len(translations) != len(references) or not len(references):
        raise ValueError(
            "`references` must be one for each of `translations`. Received: "
            f"{len(references)} and {len(translations)}"
        )
    sacrebleu = require("sacrebleu", "text")
    bleu = sacrebleu.BLEU(tokenize=_cut(references))
    chrf = sacrebleu.CHRF()
    given = list(translations), [list(references)]
    pairs = zip(translations, references, strict=True)
    return {
        "bleu": bleu.corpus_score(*given).score,
        "chrf": chrf.corpus_score(*given).score,
        "exact": sum(ours == truth for ours, truth in pairs) / len(references),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def sentence_chrf(
    translations: Sequence[str], references: Sequence[str]
) -> list[float]:
    """ChrF of each translation by itself, in [0, 100]."""
    chrf = require("sacrebleu", "text").CHRF()
    pairs = zip(translations, references, strict=True)
    return [chrf.sentence_score(ours, [truth]).score for ours, truth in pairs]


def _cut(texts: Sequence[str]) -> str:
    """What sacrebleu calls the way to cut such texts into words."""
    letters = [ord(letter) for text in texts for letter in text if letter.isalpha()]
    if 2 * sum(letter in _CJK for letter in letters) <= len(letters):
        return "13a"
    # A Chinese text may name something in kana.
    return "char" if 10 * sum(x in _KANA for x in letters) > len(letters) else "zh"
