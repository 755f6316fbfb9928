import pandas as pd
import pytest

from kerasdl.text.translation import gru_translator, transformer_translator

NUMBERS = "one two three four five six seven eight nine ten".split()
ZAHLEN = "eins zwei drei vier sechs sieben acht neun zehn elf".split()


@pytest.fixture(scope="session")
def counting():
    """Pairs of numbers in words, 60 for training, 10 for each other split."""
    rows = []
    for number in range(80):
        split = "train" if number < 60 else "valid" if number < 70 else "test"
        digits = [number % 10, number // 10 % 10, (3 * number) % 7]
        digits = digits[: 1 + number % 3] if split == "train" else digits
        source = " ".join([f"no{number}", *(NUMBERS[digit] for digit in digits)])
        rows.append((split, source, " ".join(ZAHLEN[digit] for digit in digits)))
    return pd.DataFrame(rows, columns=["split", "source", "target"], dtype=object)


def build_tiny(kind, pieces=40):
    """A network of each kind, small and with weights that tell."""
    if kind == "transformer":
        model = transformer_translator(pieces, 8, 2, hidden=8, seed=1)
    else:
        model = gru_translator(pieces, 8, 6, kind, seed=1)
    return model


KINDS = ("transformer", "bahdanau", "luong")


@pytest.fixture(scope="session", params=KINDS)
def tiny(request):
    """A network of each kind, with weights large enough to answer differently."""
    model = build_tiny(request.param)
    model.set_weights([weight * 2 for weight in model.get_weights()])
    return model
