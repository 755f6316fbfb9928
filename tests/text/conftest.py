import pandas as pd
import pytest


@pytest.fixture(scope="session")
def reviews():
    """Drawn reviews, and what real ones have besides: a repeat, a quarrel, a blank."""
    from kerasdl.text import write_reviews

    frame = write_reviews(120, seed=0)
    extra = pd.DataFrame(
        {
            "label": ["1", "0", "1", "0"],
            "review": [frame["review"][1] + " ", "说不清", "说不清", "  "],
        }
    )
    return pd.concat([frame, extra], ignore_index=True)


@pytest.fixture(scope="session")
def data(reviews):
    from kerasdl.text import TextData

    return TextData.from_frame(reviews, valid=0.25, batch_size=16, seed=0)
