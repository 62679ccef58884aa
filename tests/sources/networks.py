"""Small networks of a user's, as text to be written into files."""

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4, num_classes=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.head(self.stem(x).mean((2, 3)))

def build(width=4, num_classes=3):
    return Net(width, num_classes)

INPUT = (1, 3, 16, 16)
"""

TWO_ENDS = """
import torch
from torch import nn

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8))
        self.second = nn.Conv2d(8, 8, 3, 2, 1)
        self.words = nn.Embedding(10, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x, ids, scale):
        maps = torch.relu(self.first(x))
        deep = torch.relu(self.second(maps))
        logits = self.head(deep.mean((2, 3)) + self.words(ids).mean(1))
        return {"deep": deep, "maps": [maps], "logits": logits * scale}

def build():
    return Two()

def example_inputs():
    return torch.zeros(1, 3, 32, 32), torch.tensor([[1, 2, 3, 9]]), torch.ones(1, 5)
"""
