"""Longtake's training side: data, world model, training, evaluation, export. The maths: docs/model.md."""
