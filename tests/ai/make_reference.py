"""Make reference.npz: what the original TensorFlow graph answers to three seeded windows.

Run once, in an environment of its own, because SampleMind never installs TensorFlow:

    python -m venv /tmp/tensorflow && /tmp/tensorflow/bin/pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0
    /tmp/tensorflow/bin/pip install --no-deps musicnn==0.1.0
    TF_USE_LEGACY_KERAS=1 /tmp/tensorflow/bin/python tests/ai/make_reference.py

The graph and the weights are the package's own (`musicnn.models.define_model`, `musicnn/MTT_musicnn`).
"""

import importlib.resources
from pathlib import Path

import numpy as np
import tensorflow as tf
from musicnn import models

HERE = Path(__file__).parent
WINDOWS, FRAMES, MELS, TAGS = 3, 187, 96, 50


def seeded_windows() -> np.ndarray:
    """float32 [3, 187, 96]: hiss, a steady chord with a beat, and near silence, as log-mel values from 0 to about 4."""
    generator = np.random.default_rng(1863)
    hiss = generator.integers(2, 8, (FRAMES, MELS)) / 2  # few levels, so that the file stays small
    chord = np.where(np.isin(np.arange(MELS), (12, 19, 24, 36)), 3.0, 0.2) * np.ones((FRAMES, 1))
    beat = np.exp(-(np.arange(FRAMES) % 31) / 6)[:, None] * np.linspace(2.5, 0.5, MELS)
    near_silence = (generator.random((FRAMES, MELS)) < 0.1) * 0.01
    return np.stack([hiss, chord + beat, near_silence]).astype(np.float16).astype(np.float32)


def original_answers(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tag probabilities [n, 50] and max-pool vectors [n, 753] of the package's own graph."""
    tf1 = tf.compat.v1
    tf1.disable_eager_execution()
    place = tf1.placeholder(tf.float32, [None, FRAMES, MELS])
    is_training = tf1.placeholder(tf.bool, [])
    with tf1.name_scope("model"):
        logits, *_, max_pool, _ = models.define_model(place, is_training, "MTT_musicnn", TAGS)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        weights = importlib.resources.files("musicnn") / "MTT_musicnn"
        tf1.train.Saver().restore(session, f"{weights}/")
        feed = {place: windows, is_training: False}
        return session.run([tf.nn.sigmoid(logits), max_pool], feed)


if __name__ == "__main__":
    heard = seeded_windows()
    probabilities, max_pool = original_answers(heard)
    np.savez_compressed(
        HERE / "reference.npz", windows=heard.astype(np.float16), probabilities=probabilities, max_pool=max_pool
    )
