import pytest

from kerasdl.text import CLEANING, clean, cut_words


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ("html", "<p>a &lt; b<br/>c</p><script>x()</script>", " a < b c  "),
        ("html", "1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("accents", "Café naïve 很好 ガ", "Cafe naive 很好 ガ"),
        ("accents", "Cafe\u0301 n\u0303 か\u3099", "Cafe n か\u3099"),
        ("contractions", "It ain't", "It ain't"),
        ("contractions", "I don't, we’re; Can't!", "I do not, we are; Cannot!"),
        ("special", "好★评 a_b 50%!", "好 评 a b 50 !"),
        ("stems", "WATCHES watching watched", "watch watch watch"),
        ("lemmas", "mice were here", "mouse be here"),
        ("blanks", " a \n\t b ", "a b"),
    ],
)
def test_each_step(step, text, expected):
    assert CLEANING[step](text) == expected


def test_steps_come_in_their_order():
    assert clean("<b>Caf&eacute;</b>", ["html", "accents", "blanks"]) == "Cafe"
    with pytest.raises(ValueError, match="`clean` must be one of 'html'"):
        clean("a", ["wash"])


def test_words_are_cut_and_stop_words_left_out():
    texts = ["今天 小明去超市买了一盒牛奶", ""]
    assert cut_words(texts, {"了"}) == ["今天 小明 去 超市 买 一盒 牛奶", ""]
    with pytest.raises(ValueError, match="`workers` must be"):
        cut_words(texts, workers=0)


def test_processes_cut_as_one_does():
    texts = ["房间很干净", "味道不错，下次还来"] * 3
    assert cut_words(texts, workers=2) == cut_words(texts, workers=1)
