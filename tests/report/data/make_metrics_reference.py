#!/usr/bin/env python3
"""Prints metrics_reference.json: figures that src/report/metrics.cpp is tested against.

With scikit-learn installed they are scikit-learn's; otherwise they are computed here from the
definitions in exact fractions, and the file says so in "source". No other package is needed.

    python3 make_metrics_reference.py > metrics_reference.json
"""
import json
import sys
from fractions import Fraction


def pseudo_random_matrix(supports, accuracy_percent, seed):
    """Counts (truth, answer) with these row sums; a small generator, the same everywhere."""
    state = seed
    size = len(supports)
    matrix = [[0] * size for _ in range(size)]
    for truth, support in enumerate(supports):
        for _ in range(support):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            draw = state >> 33
            right = draw % 100 < accuracy_percent
            matrix[truth][truth if right else (draw // 100) % size] += 1
    return matrix


CASES = {
    "two of three classes occur": [[3, 1, 0], [2, 4, 0], [0, 0, 0]],
    "an absent class is answered once": [[3, 1, 1], [2, 4, 0], [0, 0, 0]],
    "everything right": [[5, 0, 0], [0, 1, 0], [0, 0, 9]],
    "always the first class": [[40, 0, 0, 0], [30, 0, 0, 0], [20, 0, 0, 0], [10, 0, 0, 0]],
    "one clip": [[0, 1], [0, 0]],
    "sizes of DFEW's first test fold": pseudo_random_matrix(
        [489, 379, 534, 435, 294, 29, 181], 68, 1),
    "eleven classes, one that never occurs": pseudo_random_matrix(
        [240, 150, 40, 33, 110, 95, 215, 0, 260, 250, 190], 41, 2),
}


def by_scikit_learn(matrix):
    import warnings

    from sklearn import metrics

    warnings.filterwarnings("ignore")  # answers for classes that never occur
    truth, answer = [], []
    for t, row in enumerate(matrix):
        for a, count in enumerate(row):
            truth += [t] * count
            answer += [a] * count
    labels = list(range(len(matrix)))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, answer, labels=labels, zero_division=0)
    return {
        "war": float(metrics.accuracy_score(truth, answer)),
        "uar": float(metrics.balanced_accuracy_score(truth, answer)),
        "macro_f1": float(metrics.f1_score(truth, answer, average="macro", zero_division=0)),
        "recall": [float(v) for v in recall],
        "precision": [float(v) for v in precision],
        "f1": [float(v) for v in f1],
        "support": [int(v) for v in support],
    }


def ratio(part, whole):
    return Fraction(part, whole) if whole else Fraction(0)


def by_definition(matrix):
    size = len(matrix)
    support = [sum(row) for row in matrix]
    answers = [sum(matrix[t][c] for t in range(size)) for c in range(size)]
    recall = [ratio(matrix[c][c], support[c]) for c in range(size)]
    precision = [ratio(matrix[c][c], answers[c]) for c in range(size)]
    # The harmonic mean of precision and recall; 0 where both are.
    f1 = [ratio(2 * p * r, p + r) if p + r else Fraction(0) for p, r in zip(precision, recall)]
    occurring = [c for c in range(size) if support[c]]
    seen = [c for c in range(size) if support[c] or answers[c]]
    return {
        "war": float(Fraction(sum(matrix[c][c] for c in range(size)), sum(support))),
        "uar": float(sum(recall[c] for c in occurring) / len(occurring)),
        "macro_f1": float(sum(f1[c] for c in seen) / len(seen)),
        "recall": [float(v) for v in recall],
        "precision": [float(v) for v in precision],
        "f1": [float(v) for v in f1],
        "support": support,
    }


def main():
    try:
        import sklearn

        source, figures = "scikit-learn " + sklearn.__version__, by_scikit_learn
    except ImportError:
        source = "computed from the definitions in exact fractions, without scikit-learn"
        figures = by_definition
    cases = [{"name": name, "confusion": matrix, **figures(matrix)}
             for name, matrix in CASES.items()]
    lines = ",\n".join(json.dumps(case) for case in cases)
    sys.stdout.write('{"source": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(source), lines))


if __name__ == "__main__":
    main()
