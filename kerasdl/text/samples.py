"""Reviews drawn by a grammar: Chinese sentences whose sentiment is known."""

import numpy as np
import pandas as pd

from kerasdl._seeds import resolve_seed

_PLACES = ("这家酒店", "这家餐厅", "这本书", "这台电脑", "房间", "外卖", "前台", "菜")
_PARTS = (
    "服务",
    "味道",
    "价格",
    "质量",
    "环境",
    "速度",
    "态度",
    "包装",
    "位置",
    "内容",
)
_GOOD = ("很好", "不错", "很棒", "满意", "舒服", "好吃", "方便", "干净", "值得", "喜欢")
_BAD = ("很差", "糟糕", "失望", "难吃", "太慢", "脏", "吵", "后悔", "生气", "难受")
_STRONG = ("", "真的", "非常", "实在", "特别", "有点", "一直")
_OPENINGS = (
    "",
    "昨天去的，",
    "第二次来了，",
    "朋友推荐的，",
    "在网上订的，",
    "出差住的，",
)
_NEUTRAL = (
    "下午到的",
    "一共三个人",
    "点了两份",
    "等了一会儿",
    "离车站不远",
    "住了一晚",
)
_ENDS = ("。", "！", "，就这样。", "……", "")
_GOOD_LAST = ("下次还会来", "推荐给大家", "给五分")
_BAD_LAST = ("再也不来了", "大家别买", "要退货")


def write_reviews(count: int = 600, *, seed: int | None) -> pd.DataFrame:
    """Draw reviews: half of them positive (1), half negative (0), no text twice.

    Some say "not bad" or "not good", some grant the other side a point before "but":
    what is right is what the sentence ends with.

    Args:
        count: number of reviews, even.
        seed: repeats them; None draws one and prints it.

    Returns:
        A table of `label` and `review`.
    """
    drawn = np.random.default_rng(resolve_seed(seed))
    rows: dict[str, str] = {}
    while len(rows) < count:
        label = len(rows) % 2
        rows.setdefault(_review(drawn, bool(label)), str(label))
    return pd.DataFrame({"label": list(rows.values()), "review": list(rows)})


def _review(drawn: np.random.Generator, good: bool) -> str:
    def one(choices: tuple[str, ...]) -> str:
        return choices[drawn.integers(len(choices))]

    def opinion(good: bool) -> str:
        if drawn.random() < 0.2:  # by saying that it is not the opposite
            return f"{one(_PARTS)}并不{one(_BAD if good else _GOOD)}"
        return f"{one(_PARTS)}{one(_STRONG)}{one(_GOOD if good else _BAD)}"

    said = [f"{one(_OPENINGS)}{one(_PLACES)}"]
    kind = drawn.random()
    if kind < 0.3:
        said[0] += opinion(not good)
        said.append(f"但是{opinion(good)}")
    else:
        said[0] += opinion(good)
        if kind < 0.6:
            said.append(one(_NEUTRAL))
        if kind > 0.45:
            said.append(opinion(good))
    if drawn.random() < 0.3:
        said.append(one(_GOOD_LAST if good else _BAD_LAST))
    return "，".join(said) + one(_ENDS)
