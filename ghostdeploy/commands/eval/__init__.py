"""``ghostdeploy eval``: accuracy of files and networks on labelled images, compared in pairs."""

from ghostdeploy.commands.eval.accuracy import Accuracy, Evaluation, Paired
from ghostdeploy.commands.eval.classifier import Classifier, open_classifier
from ghostdeploy.commands.eval.run import EvalRequest, evaluate

__all__ = [
    "Accuracy",
    "Classifier",
    "EvalRequest",
    "Evaluation",
    "Paired",
    "evaluate",
    "open_classifier",
]
