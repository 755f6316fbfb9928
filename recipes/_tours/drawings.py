"""Charts that sections of tours show; each has its caption as its label."""

import numpy as np
from matplotlib.figure import Figure

PALE = {"color": "#dddddd", "linewidth": 0.6}


def _axes(caption, columns=1, width=6.8, height=3.2):
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.set_label(caption)
    axes = figure.subplots(1, columns, squeeze=False, sharey=True)[0]
    for part in axes:
        part.spines[["top", "right"]].set_visible(False)
        part.grid(**PALE)
        part.set_axisbelow(True)
    return figure, axes


def lines(caption, x, series, xlabel="", ylabel="", logy=False):
    """A line for each of `series`, over `x` or their places."""
    figure, (axes,) = _axes(caption)
    for name, values in series.items():
        values = np.asarray(values)
        places = np.arange(1, len(values) + 1) if x is None else np.asarray(x)
        axes.plot(places, values, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if x is None:
        axes.xaxis.get_major_locator().set_params(integer=True)
    if logy:
        axes.set_yscale("log")
    if len(series) > 1:  # beside them: curves fill the axes
        figure.legend(loc="outside right upper", frameon=False)
    return figure


def histograms(caption, series, xlabel="", ylabel="", bins=60, log=False):
    """A histogram for each of `series`, side by side over the same range."""
    figure, many = _axes(caption, len(series), 9 if len(series) > 1 else 6.8, 2.6)
    values = {name: np.ravel(array) for name, array in series.items()}
    limits = [f(list(map(f, values.values()))) for f in (np.min, np.max)]
    for axes, (name, array) in zip(many, values.items(), strict=True):
        axes.hist(array, bins=np.linspace(*limits, bins), color="#2a6f97", log=log)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(xlabel)
        axes.xaxis.get_major_locator().set_params(nbins=5)  # of few figures each
    many[0].set_ylabel(ylabel)
    return figure


def points(caption, groups, xlabel="", ylabel=""):
    """Points in the plane, a colour for each group of `(n, 2)`."""
    figure, (axes,) = _axes(caption)
    for name, places in groups.items():
        axes.scatter(*np.asarray(places).T, s=12, label=name, alpha=0.7)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def regions(caption, models, inputs, labels):
    """For each model where it answers 1, blue, or 0, red; dots are inputs' truth."""
    figure, many = _axes(caption, len(models), 9, 3.2)
    side = np.linspace(-0.5, 1.5, 201)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    for axes, (name, model) in zip(many, models.items(), strict=True):
        answer = np.asarray(model(grid.astype("float32"))).reshape(201, 201)
        axes.contourf(side, side, answer, [-1, 0.5, 2], colors=["#fbe3e6", "#dcebf5"])
        for label, colour in ((0, "#d1495b"), (1, "#2a6f97")):
            axes.scatter(*inputs[labels[name] == label].T, c=colour, s=60, zorder=3)
        axes.set_title(name, fontsize=10)
        axes.set(xticks=(0, 1), yticks=(0, 1), xlabel="first input", aspect="equal")
    many[0].set_ylabel("second input")
    return figure
