"""Recurrent nets and attention from their formulas, each line beside what it gives.

    python recipes/rnn_tour.py

Simple RNN, LSTM, GRU and both directions equal Keras's layers with the same weights; a
series goes on; gradients vanish and explode, drawn; attention; a bigram model says
which order of words is likelier. `--list` names the sections, `--section` runs some.
"""

from _tour import parse_tour, tour_parser, walk

import kerasdl as kd

NAME = "rnn_tour"
PARTS = ("recurrent",)


def main(argv=None):
    args, sections = parse_tour(tour_parser(__doc__), argv, NAME, PARTS)
    return walk(args, sections, title="Recurrent nets and attention")


if __name__ == "__main__":
    kd.workbench.run_recipe(main)
