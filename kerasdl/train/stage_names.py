"""The trainings of `Stages`, and the order in which they can go."""

from collections.abc import Sequence

from kerasdl._checks import check_one_of

# Letter of the chapter's stage -> the trainings it is made of.
STAGES = {
    "a": ("scratch", "scratch_augmented"),
    "b": ("features",),
    "c": ("frozen",),
    "d": ("fine_tuned",),
    "practice": ("practice_head", "practice"),
}


def check_stages(names: Sequence[str]) -> None:
    """Raise ValueError unless `names` are trainings in an order that works."""
    known = [name for stage in STAGES.values() for name in stage]
    for index, name in enumerate(names):
        check_one_of("stages", name, known)
        forerunner = {"fine_tuned": "frozen", "practice": "practice_head"}.get(name)
        if forerunner and forerunner not in names[:index]:
            raise ValueError(
                f"`stages` must hold {forerunner!r} before {name!r}, which continues "
                f"it. Received: stages={list(names)!r}"
            )
