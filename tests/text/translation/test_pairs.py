"""Pairs as they stand in files, and splits by source."""

import gzip

import pandas as pd
import pytest

from kerasdl.text.translation import (
    draw_dates,
    lesson_pairs,
    lesson_text,
    read_pairs,
    with_splits,
)
from kerasdl.text.translation.dates import FORMS


@pytest.fixture
def write(tmp_path):
    """A function that writes lines to a file in `tmp_path`."""

    def write(name, *lines, encoding="utf-8"):
        content = "".join(f"{line}\n" for line in lines).encode(encoding)
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def folder(write, tmp_path):
    write("train.en", "A dog.", "Two cats.", "", "A hen.")
    write("train.fr.gz", "Un chien.", "Deux chats.", "rien", "Une  poule.")
    write("val.en", "A cow.")
    write("val.fr", "Une vache.")
    write("test_2016.en.gz", "A pig.")
    write("test_2016.fr", "Un cochon.")
    write("test_b.en", "A fox.")
    write("test_b.fr.gz", "Un renard.")
    return tmp_path


def test_a_folder_is_read_with_all_its_tests(folder, capsys):
    found = read_pairs(folder, "en", "fr")
    assert found["split"].tolist() == ["train"] * 3 + ["valid", "test_2016", "test_b"]
    assert found["target"][2] == "Une poule."
    assert "1 pairs with an empty side are not used" in capsys.readouterr().out
    turned = read_pairs(folder, "en", "fr", swap=True)
    assert turned["source"].tolist() == found["target"].tolist()


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.txt", "pairs.txt.gz"])
def test_a_file_has_source_and_target_and_more_is_ignored(write, name):
    path = write(name, "Go.\tVa !\tby tatoeba", "", "Run!\tCours !", "Run!\tCourez !")
    found = read_pairs(path)
    assert read_pairs(path, "en", "fr").equals(found)
    assert found["source"].tolist() == ["Go.", "Run!", "Run!"]
    assert found["target"].tolist() == ["Va !", "Cours !", "Courez !"]
    assert read_pairs(path, swap=True)["source"][0] == "Va !"


def test_letters_have_one_form_and_a_mark_is_passed_over(write):
    path = write("pairs.tsv", "caf\u0065\u0301\tbar", encoding="utf-8-sig")
    assert read_pairs(path)["source"][0] == "café"


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({"source": "en", "target": "de"}, "must hold train.de or train.de.gz"),
        ({"source": None, "target": "fr"}, "`source` must be the ending of its files"),
        ({"source": "en", "target": "../fr"}, "`target` must be the ending"),
        ({"source": "en", "target": "en"}, "`source` and `target` must be two lang"),
    ],
)
def test_a_folder_without_a_language_is_refused(folder, names, match):
    with pytest.raises(ValueError, match=match):
        read_pairs(folder, **names)


@pytest.mark.parametrize("name", ["val", "test_2016", "test_new"])
@pytest.mark.parametrize("lost", ["en", "fr"])
def test_half_of_a_split_is_named_and_not_passed_over(folder, write, name, lost):
    write(f"{name}.{'fr' if lost == 'en' else 'en'}", "A cow.")
    for file in folder.glob(f"{name}.{lost}*"):
        file.unlink()
    with pytest.raises(ValueError, match=rf"must hold {name}\.{lost} or "):
        read_pairs(folder, "en", "fr")


def test_a_split_of_another_pair_of_languages_is_left(folder, write):
    for language in ("fr", "de"):
        write(f"test_c.{language}", "Hund")
    assert "test_c" not in set(read_pairs(folder, "en", "fr")["split"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "en"}, "for en, the next another language"),
        ({"source": "en", "target": "fr", "swap": True}, "for fr, the next en"),
        ({"target": "fr", "swap": True}, "for fr, the next another language"),
    ],
)
def test_it_is_said_what_the_columns_are_taken_for(write, capsys, given, said):
    read_pairs(write("pairs.tsv", "Go.\tVa !"), **given)
    assert f"the first column is taken {said}\n" in capsys.readouterr().out


def test_lines_without_translation_are_refused(folder, write):
    write("val.fr", "Une vache.", "Un veau.")
    with pytest.raises(ValueError, match="as many lines .* 1 in .*val.en', 2 in"):
        read_pairs(folder, "en", "fr")


def test_other_files_are_refused(write, tmp_path):
    path = write("pairs.tsv", "one\teins", "two")
    with pytest.raises(ValueError, match="two columns .* line 2: 'two'"):
        read_pairs(path)
    with pytest.raises(ValueError, match="`path` must be a folder of train.SOURCE"):
        read_pairs(tmp_path / "gone.tsv")
    with pytest.raises(ValueError, match="`path` must hold pairs for training"):
        read_pairs(write("empty.tsv", ""))


def test_another_encoding_is_named(write):
    path = write(
        "pairs.tsv",
        "I am a student of this school.\t我是这所学校的学生。",
        encoding="gb18030",
    )
    with pytest.raises(ValueError, match="encoding='gb18030'"):
        read_pairs(path)
    assert "学校" in read_pairs(path, encoding="gb18030")["target"][0]


def test_a_source_is_in_one_split_alone(capsys):
    sources = [f"s{number // 3}" for number in range(90)]
    sources[1] = "S0"  # in another case, and yet the same
    targets = [f"t{number}" for number in range(90)]
    pairs = pd.DataFrame({"split": "train", "source": sources, "target": targets})
    found = with_splits(pairs, 0.2, 0.1, seed=3)
    counts = found.groupby("split")["source"].agg(lambda s: s.str.lower().nunique())
    assert counts.to_dict() == {"train": 21, "valid": 6, "test": 3}
    splits = found.groupby(found["source"].str.lower())["split"].nunique()
    assert (splits == 1).all() and len(found) == 90
    assert with_splits(pairs, 0.2, 0.1, seed=3).equals(found)
    assert not with_splits(pairs, 0.2, 0.1, seed=4).equals(found)
    # What files hold out is kept out of training.
    given = pairs.copy()
    given.loc[0, "split"] = "test_a"
    found = with_splits(given, 0.2, 0.1, seed=3)
    assert set(found["split"]) == {"train", "valid", "test_a"} and len(found) == 88
    assert "2 training pairs whose source is held out" in capsys.readouterr().out


def test_something_must_be_left_for_training():
    one = pd.DataFrame({"split": ["train"], "source": ["a"], "target": ["b"]})
    with pytest.raises(ValueError, match="leave some for training. Received: 1 diff"):
        with_splits(one, 0.1, 0.1, seed=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"source": [None, "b", ""]}, r"must hold text in .*none in rows 0, 2\. Leave"),
        ({"target": [1, 2, 3]}, "must hold text in split, source and target"),
        ({"split": ["train", "train", float("nan")]}, "none in rows 2"),
    ],
)
def test_pairs_are_text(change, match):
    table = {"split": "train", "source": ["a", "b", "c"], "target": ["x", "y", "z"]}
    pairs = pd.DataFrame(table).assign(**change)
    with pytest.raises(ValueError, match=match):
        with_splits(pairs, 0.1, 0.1, seed=0)
    with pytest.raises(ValueError, match="columns split, source and .*without 'split'"):
        with_splits(pairs.drop(columns="split"), 0.1, 0.1, seed=0)


def test_dates_are_what_they_say():
    found = draw_dates(400, seed=1)
    assert found["split"].value_counts().to_dict() == {
        "train": 360,
        "valid": 20,
        "test": 20,
    }
    assert found["target"].is_unique
    plain = found[found["source"].str.match(r"\d+ [A-Z][a-z]{3,} \d{4}$")]
    expected = pd.to_datetime(plain["source"], format="%d %B %Y")
    assert len(plain) > 20 and (expected.astype(str) == plain["target"]).all()
    long = found[found["source"].str.contains(", .* ", regex=True)]
    long = long[long["source"].str.match(r"[A-Z][a-z]+day, \d")]
    expected = pd.to_datetime(long["source"], format="%A, %d %B %Y")
    assert (expected.dt.day_name() == long["source"].str.split(",").str[0]).all()
    assert len(FORMS) == 9 and draw_dates(400, seed=1).equals(found)
    with pytest.raises(ValueError, match="`count` must be from 40 to"):
        draw_dates(39, seed=1)


def test_sentences_are_cut_as_in_the_lesson(capsys):
    assert lesson_text("Où est-il, Zoë?") == "ou est il zoe ?"
    assert lesson_text("我愛自然語言") == "我 爱 自然语言"
    long = " ".join("abcdefghijk")
    pairs = pd.DataFrame(
        {"split": "train", "source": ["Hi!", long], "target": ["嗨。", "嗨。"]}
    )
    found = lesson_pairs(pairs)
    assert found["source"].tolist() == ["hi !"]
    assert "1 pairs of at most 10 words, of 2" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`pairs` must hold some of at most 10 words"):
        lesson_pairs(pairs[1:])
