"""Logistic regression for what is learned here, and how well a probability tells two groups apart."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

L2 = 0.1
BLUR = 0.05
"""Width, in probability, over which the losses are smoothed when the threshold is chosen: single questions shall not move it."""


def fit_decision(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights of the columns and, last, the bias; `labels` (rows,) are 0 or 1."""
    x = np.hstack([rows, np.ones((len(rows), 1))])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ weights
        p = 1 / (1 + np.exp(-z))
        penalty = np.append(weights[:-1], 0)
        value = float(np.sum(np.logaddexp(0, -z) * labels + np.logaddexp(0, z) * (1 - labels)) + L2 * penalty @ penalty)
        return value, x.T @ (p - labels) + 2 * L2 * penalty

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x


def area(confidence: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often an answerable question is surer than an unanswerable one (Hanley & McNeil 1982)."""
    yes, no = confidence[labels == 1], confidence[labels == 0]
    return float(np.mean((yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])))


def best_threshold(confidence: np.ndarray, labels: np.ndarray) -> float:
    """The threshold with the least loss, where declining an answerable question costs what answering another does."""
    yes, no = confidence[labels == 1], confidence[labels == 0]
    choices = np.linspace(0.2, 0.9, 141)
    return float(min(choices, key=lambda t: np.mean(expit((t - yes) / BLUR)) + np.mean(expit((no - t) / BLUR))))
