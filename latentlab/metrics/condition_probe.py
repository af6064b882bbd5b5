"""What a probe reads of the condition from the latent: it should be nothing.

Two probes are fitted on the posterior means of some images and tried on those of others: a logistic
regression, and a network with one hidden layer, because what no straight line finds may still be there.
Classes weigh the same in fitting, so that chance is 1 / classes whatever the set's shares.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from latentlab.metrics.classification import balanced_accuracy, confusion_matrix
from latentlab.metrics.intervals import Estimate

_HIDDEN, _EPOCHS = 128, 60


def probe_points(
    train: NDArray[np.float32],
    train_codes: NDArray[np.int64],
    test: NDArray[np.float32],
    test_codes: NDArray[np.int64],
    classes: int,
    seed: int = 0,
) -> Mapping[str, Estimate]:
    """Return how far each probe's balanced accuracy is above chance, in percentage points.

    Parameters
    ----------
    train, test
        Latents ``[n, D]``.
    train_codes, test_codes
        Class codes ``[n]``; rows of -1 (unknown) are left out.

    Returns
    -------
    mapping
        Estimates under ``linear`` and ``network``, their intervals from Wilson's limits; empty where a side
        does not show two classes.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    rows, tried = np.flatnonzero(train_codes >= 0), test_codes >= 0
    if len(np.unique(train_codes[rows])) < 2 or len(np.unique(test_codes[tried])) < 2:
        return {}
    scaler = StandardScaler().fit(train[rows])
    seen, shown = scaler.transform(train), scaler.transform(test[tried])
    probes = {
        "linear": (LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000), rows),
        "network": (
            MLPClassifier((_HIDDEN,), max_iter=_EPOCHS, early_stopping=True, random_state=seed),
            _balanced(rows, train_codes, seed),
        ),
    }
    found = {}
    for name, (probe, given) in probes.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a probe that has not converged reads less
            probe.fit(seen[given], train_codes[given])
        said = probe.predict(shown).astype(np.int64)
        accuracy = balanced_accuracy(confusion_matrix(test_codes[tried], said, classes))
        assert accuracy is not None
        found[name] = Estimate(
            _points(accuracy.value, classes),
            None if accuracy.low is None else _points(accuracy.low, classes),
            None if accuracy.high is None else _points(accuracy.high, classes),
            accuracy.n,
        )
    return found


def probe_figures(name: str, points: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Return what `probe_points` found as figures: the linear probe's under a name, others' after ``@``."""
    return {name if kind == "linear" else f"{name}@{kind}": one for kind, one in points.items()}


def _points(accuracy: float, classes: int) -> float:
    return 100.0 * (accuracy - 1.0 / classes)


def _balanced(rows: NDArray[np.int64], codes: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return rows in which every class is drawn as often as the most frequent one."""
    generator = np.random.default_rng(seed)
    by_class = [rows[codes[rows] == code] for code in np.unique(codes[rows])]
    most = max(map(len, by_class))
    drawn = [np.concatenate([one, generator.choice(one, most - len(one))]) for one in by_class]
    return generator.permutation(np.concatenate(drawn))
