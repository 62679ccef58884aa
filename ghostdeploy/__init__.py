"""ghostdeploy: put GhostNetV2 on a phone and know, with proof, how fast it runs there."""

__version__ = "0.1.0"
