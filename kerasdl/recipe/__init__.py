"""What recipes share: arguments, data, steps and the files of a run; loads quickly."""

from . import arrays, contest, looks, model_card, photos, run_data, steps
