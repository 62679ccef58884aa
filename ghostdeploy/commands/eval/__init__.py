"""``ghostdeploy eval``: accuracy of files and networks on labelled images, compared in pairs."""

from ghostdeploy.commands.eval.prediction import Accuracy, Evaluation, Paired, evaluate, subject

__all__ = ["Accuracy", "Evaluation", "Paired", "evaluate", "subject"]
